"""Decides which rows the graphs know of what lies outside of a DAG: links between DAGs, and assets between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Q, QuerySet

from dags_app.asset_mentions import mentions_of
from dags_app.graph.between_dags import Use
from dags_app.graph.outside import ASSET, TRIGGER, Link, Lookup, Place, alias, lookup
from dags_app.graph.structure import Outside
from dags_app.models import Asset, AssetReference, DagLink
from orchestrator.sdk.serialization.spec import DagSpec


def outside_of(spec: DagSpec) -> Outside:
    """Return what is around one DAG; two queries."""
    mentioned = mentions_of(spec).all
    find = _lookup({mention.name for mention in mentioned}, {mention.uri for mention in mentioned})
    rows = DagLink.objects.filter(kind=TRIGGER, other_dag_id=spec.dag_id, dag__is_stale=False)
    return Outside(find, sorted(map(_link, rows)))


def links() -> Iterator[Link]:
    """Return the links of all DAGs that are there; one query."""
    return map(_link, DagLink.objects.filter(dag__is_stale=False))


def drawn_references() -> QuerySet[AssetReference]:
    """The mentions that graphs draw: assets that start DAGs or are written by them, not those that are only read."""
    rows = AssetReference.objects.exclude(role=AssetReference.Role.INLET).filter(dag__is_stale=False)
    return rows.select_related("asset", "alias")


def uses(references: Iterable[AssetReference]) -> list[Use]:
    """Return which assets start DAGs or are written by them; one query more than that of the rows."""
    rows = list(references)
    open_ones = [row for row in rows if row.asset is None and row.alias is None]
    find = _lookup({row.name for row in open_ones}, {row.uri for row in open_ones})
    return [Use(row.dag_id, _place(row, find), row.role == AssetReference.Role.SCHEDULE) for row in rows]


def _lookup(names: set[str], uris: set[str]) -> Lookup:
    rows = Asset.objects.filter(Q(name__in=names - {""}) | Q(uri__in=uris - {""})).order_by("pk")
    return lookup(rows.values_list("pk", "name", "uri"))


def _link(row: DagLink) -> Link:
    ends = (row.dag_id, row.other_dag_id) if row.kind == TRIGGER else (row.other_dag_id, row.dag_id)
    return Link(row.kind, *ends, row.task_id, row.label)


def _place(row: AssetReference, find: Lookup) -> Place:
    if row.asset is not None:
        return Place(ASSET, str(row.asset.pk), row.asset.name)
    return alias(row.alias.name) if row.alias is not None else find({"type": "asset_ref", "name": row.name, "uri": row.uri})
