"""Decides how a schedule over assets is shown: Airflow's nested ``{"all": [{"asset": ...}]}``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dags_app.models import Asset, AssetAlias

_WORDS = {"asset_all": "all", "asset_any": "any"}


def asset_expression(condition: Any) -> dict[str, Any] | None:
    """Return the expression of a serialized asset condition with the ids of its assets; None without one."""
    if not isinstance(condition, dict):
        return None
    parts = list(_parts(condition))
    assets = {(row.name, row.uri): row.pk for row in Asset.objects.filter(name__in=_names(parts, "asset"))}
    aliases = {row.name: row.pk for row in AssetAlias.objects.filter(name__in=_names(parts, "asset_alias"))}
    return _shown(condition, assets, aliases)


def _parts(condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield condition
    for inner in condition.get("objects") or ():
        yield from _parts(inner)


def _names(parts: list[dict[str, Any]], kind: str) -> list[str]:
    return [part["name"] for part in parts if part.get("type") == kind]


def _shown(part: dict[str, Any], assets: dict[tuple[str, str], int], aliases: dict[str, int]) -> dict[str, Any]:
    kind = str(part.get("type"))
    if kind in _WORDS:
        return {_WORDS[kind]: [_shown(inner, assets, aliases) for inner in part["objects"]]}
    if kind == "asset_alias":
        return {"alias": {"name": part["name"], "group": part["group"], "id": aliases.get(part["name"])}}
    if kind == "asset_ref":
        return {"asset_ref": {name: part[name] for name in ("name", "uri") if name in part}}
    key = (part["name"], part["uri"])
    return {"asset": {"uri": part["uri"], "name": part["name"], "group": part["group"], "id": assets.get(key)}}
