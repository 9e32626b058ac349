"""Graphs are drawn as by Airflow 3.3.2: `data/graph_dags.py` was drawn there, `data/graphs_golden.json` is what it answered.

Each query of `structure` follows `dag_id=`; ids of assets are recorded as their names. Where ours says more it is listed here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from dags_app.asset_mentions import leaves, mentions_of
from dags_app.graph.between_dags import Use, between_dags, component
from dags_app.graph.outside import TRIGGER, Link, Lookup, links_of, lookup
from dags_app.graph.schedule import ScheduleGraph
from dags_app.graph.structure import Outside, part_of, structure
from orchestrator.sdk.serialization.spec import DagSpec, from_json
from tests.unit.sdk.fresh_python import parse_file

DATA = Path(__file__).parent / "data"
GOLDEN = json.loads((DATA / "graphs_golden.json").read_text())
QUERIES = [query for query in GOLDEN["structure"] if "external_dependencies" not in query and query != "g_round"]
OUTSIDE = "&external_dependencies=true"
IN = {"is_source_asset": True}

#: Edges that differ on purpose: (source, target, facts) of Airflow's, and of ours.
#: An asset alone as a schedule is drawn; a link hangs on the task that makes it, not on the first or last node.
BETTER: dict[str, tuple[list[Any], list[Any]]] = {
    "g_asset_itself": ([], [("id of g_a3", "c", IN)]),
    "g_asset_parts": ([], [("id of g_a1", "c", IN)]),
    "g_asset_single": ([], [("id of g_a1", "c", IN)]),
    "g_asset_producer": ([("produce2", "asset-alias:g_alias", {})], [("produce", "asset-alias:g_alias", {})]),
    "g_sensor": (
        [("sensor:g_nowhere:g_sensor:sens_dag", "sens", {})],
        [("sensor:g_nowhere:g_sensor:sens_dag", "sens_dag", {})],
    ),
    "g_trigger": (
        [("trig2", f"trigger:g_trigger:{end}", {}) for end in ("g_groups:mapped_conf", "g_sensor:tg.trig")],
        [
            ("mapped_conf", "trigger:g_trigger:g_groups:mapped_conf", {}),
            ("tg.trig", "trigger:g_trigger:g_sensor:tg.trig", {}),
        ],
    ),
}


@cache
def specs() -> dict[str, DagSpec]:
    return {document["dag_id"]: from_json(document) for document in parse_file(DATA / "graph_dags.py")}


@cache
def assets() -> list[tuple[int, str, str]]:
    keys = {key for spec in specs().values() for key in mentions_of(spec).assets}
    return [(pk, *key) for pk, key in enumerate(sorted(keys), 1)]


def find() -> Lookup:
    return lookup(assets())


def links() -> list[Link]:
    return [link for spec in specs().values() for link in links_of(spec)]


def answer(query: str) -> dict[str, Any]:
    """Return our answer in the form of the recording."""
    asked = dict(parse_qsl(f"dag_id={query}"))
    spec, part = specs()[asked["dag_id"]], None
    if root := asked.get("root"):
        depth = int(asked["depth"]) if "depth" in asked else None
        directions = {name: f"include_{name}" in asked for name in ("upstream", "downstream")}
        part = part_of(spec, root, **directions, depth=depth)
    triggers = [link for link in links() if link.kind == TRIGGER and link.target == spec.dag_id]
    return recorded_form(structure(spec, part, Outside(find(), triggers) if query.endswith(OUTSIDE) else None))


def recorded_form(value: Any) -> Any:
    """Leave null out and put names for the ids of assets."""
    if isinstance(value, list):
        return [recorded_form(item) for item in value]
    if isinstance(value, dict):
        return {
            key: named(item) if key.endswith("id") else recorded_form(item) for key, item in value.items() if item is not None
        }
    return value


def named(node_id: str) -> str:
    names = {str(pk): name for pk, name, _ in assets()}
    if node_id.startswith("asset:"):
        return f"asset:{names[node_id.removeprefix('asset:')]}"
    return f"id of {names[node_id]}" if node_id in names else node_id


def texts(items: Any) -> set[str]:
    return {json.dumps(item, sort_keys=True) for item in items}


@pytest.mark.parametrize("query", QUERIES)
def test_a_graph_or_a_part_of_it_has_airflows_nodes_and_edges_in_airflows_order(query: str) -> None:
    assert answer(query) == GOLDEN["structure"][query]


@pytest.mark.parametrize("query", [query for query in GOLDEN["structure"] if query.endswith(OUTSIDE) and "_ref" not in query])
def test_what_is_around_a_dag_is_drawn_as_by_airflow_but_on_the_task_that_it_concerns(query: str) -> None:
    ours, theirs = answer(query), GOLDEN["structure"][query]
    left, right = BETTER.get(query.removesuffix(OUTSIDE), ([], []))
    removed, added = ([{"source_id": a, "target_id": b, **facts} for a, b, facts in edges] for edges in (left, right))
    assert texts(ours["edges"]) == (texts(theirs["edges"]) - texts(removed)) | texts(added)
    alone = {source for source, _, facts in right if facts}
    assert {node["id"] for node in ours["nodes"]} == {node["id"] for node in theirs["nodes"]} | alone
    assert texts(theirs["nodes"]) <= texts(ours["nodes"])


def test_references_to_assets_are_drawn_where_airflow_answers_400() -> None:
    assert GOLDEN["structure"]["g_asset_ref" + OUTSIDE] == {"status": 400}
    assert [(node["id"], node["type"]) for node in answer("g_asset_ref" + OUTSIDE)["nodes"]][1:] == [
        ("and-gate-0", "asset-condition"),
        ("id of g_a1", "asset"),
        ("s3://nowhere", "asset-uri-ref"),
        ("nobody", "asset-name-ref"),
    ]


def test_two_groups_that_come_before_each_other_are_drawn_where_airflow_answers_500() -> None:
    assert GOLDEN["structure"]["g_round"] == {"status": 500}
    ours = answer("g_round")
    assert [node["id"] for node in ours["nodes"]] == ["a_alone", "start", "ga", "gb", "end"]
    assert ("ga.x", "gb.z") in {(edge["source_id"], edge["target_id"]) for edge in ours["edges"]}


def test_a_schedule_of_no_assets_is_not_drawn_and_an_asset_that_is_named_twice_is_drawn_once() -> None:
    def drawn(*condition: Any) -> list[tuple[str, str]]:
        graph = ScheduleGraph({"type": "asset_all", "objects": list(condition)}, "t", lookup([(1, "a", "a")]))
        assert [node["id"] for node in graph.nodes.values()] == (["and-gate-0", "1"] if condition else [])
        return [(edge["source_id"], edge["target_id"]) for edge in graph.edges]

    one = {"type": "asset", "name": "a", "uri": "a"}
    assert (drawn(), drawn(one, one)) == ([], [("and-gate-0", "t"), ("1", "and-gate-0")])


def test_what_hangs_on_a_task_that_is_not_shown_is_left_out() -> None:
    shown = answer(f"g_trigger&root=first{OUTSIDE}")
    assert ([node["id"] for node in shown["nodes"]], shown["edges"]) == (["first"], [])
    assert answer(f"g_asset_consumer&root=nobody{OUTSIDE}") == {"edges": [], "nodes": []}


def test_a_root_is_a_task_then_a_group_then_a_part_of_names() -> None:
    def tasks(root: str) -> set[str]:
        return part_of(specs()["g_chain"], root, upstream=False, downstream=False, depth=None)

    assert tasks("side") == {"side"}
    assert tasks("cg") == {"cg.i1", "cg.i2", "cg.i3"}
    assert tasks("sid") == {"side", "side2"}


@pytest.mark.parametrize("query", GOLDEN["dependencies"])
def test_the_graph_between_dags_is_airflows(query: str) -> None:
    uses = [
        Use(spec.dag_id, find()(leaf), is_schedule)
        for spec in specs().values()
        for is_schedule, ports in ((True, [spec.asset_condition]), (False, [o for task in spec.tasks for o in task.outlets]))
        for port in ports
        for leaf in leaves(port)
    ]
    whole, wanted = between_dags(set(specs()), links(), uses), GOLDEN["dependencies"][query]
    found = component(whole, query.removeprefix("?node_id=")) if query else whole
    if "status" in wanted:
        assert (found, wanted["status"]) == (None, 404)
        return
    assert found is not None
    assert texts(recorded_form(found["nodes"])) == texts(wanted["nodes"])
    assert {(named(e["source_id"]), named(e["target_id"])) for e in found["edges"]} == {tuple(e) for e in wanted["edges"]}
