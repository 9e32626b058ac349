"""Decides which DAGs get an event: those whose schedule names its asset, its name, its URI, or an alias it came through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.db.models import Q

from dags_app.models import AssetAlias, AssetReference, Dag

if TYPE_CHECKING:
    from runs.assets.events import NewEvent

PARTITIONED = "PartitionedAssetTimetable"


def consumers_of(new: Sequence[NewEvent], aliases: Mapping[str, AssetAlias]) -> list[list[Dag]]:
    """Return the consumers of each event, in the order of the events; one query. DAGs whose file is gone are left out."""
    assets = {item.asset.pk: item.asset for item in new}
    names = {asset.name for asset in assets.values()}
    uris = {asset.uri for asset in assets.values()}
    meant = Q(asset__in=assets) | Q(name__in=names, uri="") & ~Q(name="") | Q(uri__in=uris) & ~Q(uri="")
    if aliases:
        meant |= Q(alias__in=[alias.pk for alias in aliases.values()])
    rows = AssetReference.objects.filter(meant, role=AssetReference.Role.SCHEDULE, dag__is_stale=False)
    references = list(rows.select_related("dag").order_by("dag_id", "pk"))
    return [_wanting(item, references, aliases) for item in new]


def _wanting(item: NewEvent, references: Sequence[AssetReference], aliases: Mapping[str, AssetAlias]) -> list[Dag]:
    bound = {aliases[name].pk for name in item.aliases}
    found = {row.dag_id: row.dag for row in references if _is_meant(row, item, bound)}
    return list(found.values())


def _is_meant(row: AssetReference, item: NewEvent, bound: set[int]) -> bool:
    if row.asset_id is not None:
        return row.asset_id == item.asset.pk
    if row.alias_id is not None:
        return row.alias_id in bound
    return row.name == item.asset.name if row.name else bool(row.uri) and row.uri == item.asset.uri
