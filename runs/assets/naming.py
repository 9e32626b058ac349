"""Decides what the aliases and references in a condition stand for now."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from dags_app.asset_mentions import leaves
from dags_app.models import Asset, AssetAlias
from runs.assets.conditions import AssetKey, Names

Json = Any


def names_of(condition: Json) -> Names:
    """Return the meanings of the names in a condition; no query where it has none."""
    found = list(leaves(condition))
    references = [leaf for leaf in found if leaf["type"] == "asset_ref"]
    aliases = [leaf["name"] for leaf in found if leaf["type"] == "asset_alias"]
    names = [leaf["name"] for leaf in references if leaf.get("name")]
    uris = [leaf["uri"] for leaf in references if leaf.get("uri")]
    assets: list[AssetKey] = []
    if references:
        meant = Asset.objects.filter(Q(name__in=names) | Q(uri__in=uris), is_active=True)
        assets = list(meant.order_by("pk").values_list("name", "uri"))
    return Names({key[0]: key for key in assets}, {key[1]: key for key in assets}, _behind(aliases))


def _behind(aliases: list[str]) -> dict[str, list[AssetKey]]:
    if not aliases:
        return {}
    rows = AssetAlias.objects.filter(name__in=aliases).prefetch_related("assets")
    return {alias.name: [(asset.name, asset.uri) for asset in alias.assets.all()] for alias in rows}
