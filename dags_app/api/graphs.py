"""Decides the operations under ``/ui`` that Airflow's pages read graphs from: one DAG, and what lies between DAGs."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from dags_app.api.queries import dag_or_404, spec_or_404
from dags_app.asset_mentions import mentions_of
from dags_app.graph.between_dags import Use, between_dags, component
from dags_app.graph.outside import ASSET, TRIGGER, Link, Lookup, Place, alias, lookup
from dags_app.graph.structure import Outside, part_of, structure
from dags_app.models import Asset, AssetReference, Dag, DagLink
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.sdk.serialization.spec import DagSpec

operations = Operations("Graph")

ONE_DAG = params(
    Param("dag_id", required=True),
    Param("version_number", scalars.integer),
    Param("external_dependencies", scalars.switch, False),
    Param("root"),
    Param("include_upstream", scalars.switch, False),
    Param("include_downstream", scalars.switch, False),
    Param("depth", scalars.at_least(0)),
)


@operations.add("GET", "/structure/structure_data", "structure_data", params=ONE_DAG)
def structure_data(call: Call) -> dict[str, Any]:
    """Return nodes and edges of a DAG, or of the part around ``root``."""
    asked = call.query
    dag = dag_or_404(asked["dag_id"])
    spec = spec_or_404(dag, asked["version_number"])
    part = None
    if asked["root"]:
        directions = {"upstream": asked["include_upstream"], "downstream": asked["include_downstream"]}
        part = part_of(spec, asked["root"], **directions, depth=asked["depth"])
    return structure(spec, part, _outside(spec) if asked["external_dependencies"] else None)


@operations.add("GET", "/dependencies", "get_dependencies", params=params(Param("node_id")))
def get_dependencies(call: Call) -> dict[str, Any]:
    """Return the graph between DAGs, or the part of it that hangs together with a node."""
    dag_ids = set(Dag.objects.active().values_list("pk", flat=True))
    rows = DagLink.objects.filter(dag__is_stale=False)
    graph = between_dags(dag_ids, map(_link, rows), _uses())
    node_id = call.query["node_id"]
    if node_id is None:
        return graph
    found = component(graph, node_id)
    if found is None:
        raise NotFoundError(f"The graph between DAGs has no node {node_id!r}; without node_id it shows all that it has")
    return found


def _outside(spec: DagSpec) -> Outside:
    mentioned = mentions_of(spec).all
    find = _lookup({mention.name for mention in mentioned}, {mention.uri for mention in mentioned})
    rows = DagLink.objects.filter(kind=TRIGGER, other_dag_id=spec.dag_id, dag__is_stale=False)
    return Outside(find, sorted(map(_link, rows)))


def _lookup(names: set[str], uris: set[str]) -> Lookup:
    rows = Asset.objects.filter(Q(name__in=names - {""}) | Q(uri__in=uris - {""})).order_by("pk")
    return lookup(rows.values_list("pk", "name", "uri"))


def _link(row: DagLink) -> Link:
    ends = (row.dag_id, row.other_dag_id) if row.kind == TRIGGER else (row.other_dag_id, row.dag_id)
    return Link(row.kind, *ends, row.task_id, row.label)


def _uses() -> list[Use]:
    """Return which assets start DAGs or are written by them; those that are only read are not drawn."""
    rows = list(
        AssetReference.objects.exclude(role=AssetReference.Role.INLET)
        .filter(dag__is_stale=False)
        .select_related("asset", "alias")
    )
    open_ones = [row for row in rows if row.asset is None and row.alias is None]
    find = _lookup({row.name for row in open_ones}, {row.uri for row in open_ones})
    return [Use(row.dag_id, _place(row, find), row.role == AssetReference.Role.SCHEDULE) for row in rows]


def _place(row: AssetReference, find: Lookup) -> Place:
    if row.asset is not None:
        return Place(ASSET, str(row.asset.pk), row.asset.name)
    return alias(row.alias.name) if row.alias is not None else find({"type": "asset_ref", "name": row.name, "uri": row.uri})
