"""Decides the operations under ``/ui`` that Airflow's pages read graphs from: one DAG, and what lies between DAGs."""

from __future__ import annotations

from typing import Any

from dags_app.api.queries import dag_or_404, spec_or_404
from dags_app.graph.between_dags import between_dags, component
from dags_app.graph.structure import part_of, structure
from dags_app.models import Dag
from dags_app.outside_rows import drawn_references, links, outside_of, uses
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params

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
    return structure(spec, part, outside_of(spec) if asked["external_dependencies"] else None)


@operations.add("GET", "/dependencies", "get_dependencies", params=params(Param("node_id")))
def get_dependencies(call: Call) -> dict[str, Any]:
    """Return the graph between DAGs, or the part of it that hangs together with a node."""
    dag_ids = set(Dag.objects.active().values_list("pk", flat=True))
    graph = between_dags(dag_ids, links(), uses(drawn_references()))
    node_id = call.query["node_id"]
    if node_id is None:
        return graph
    found = component(graph, node_id)
    if found is None:
        raise NotFoundError(f"The graph between DAGs has no node {node_id!r}; without node_id it shows all that it has")
    return found
