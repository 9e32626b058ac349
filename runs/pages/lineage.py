"""Decides the drawing of what lies between DAGs: assets, and for those who ask also triggers and sensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, Subquery

from dags_app.dag_filters import runs_of_dag
from dags_app.graph.between_dags import Graph, around, between_dags
from dags_app.graph.tree import in_drawing_order
from dags_app.models import Asset, Dag
from dags_app.outside_rows import drawn_references, links, uses
from orchestrator.kernel.clock import utcnow
from orchestrator.templatetags.shown import distance
from runs.api.asset_queries import assets
from runs.pages.drawing import Drawing, Json
from runs.pages.graph import Asked, outside_address

MOST_DRAWN = 800
MOST_NEAR = 300
NO_GROUP = "asset"


@dataclass(frozen=True, slots=True)
class LineageRow:
    """A node as the table beside the drawing has it."""

    label: str
    kind: str
    url: str
    upstream: list[str]
    downstream: list[str]
    state: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """A drawing with its table; ``problem`` says why it is not there; ``names`` is what may be drawn around."""

    drawing: Drawing
    rows: list[LineageRow]
    names: list[tuple[str, str]]
    problem: str = ""

    more = 0


def lineage(asked: Asked, *, with_links: bool) -> Lineage:
    """Draw all that lies between DAGs, or what is around one node; five queries, however much it is."""
    dag_ids = set(Dag.objects.active().values_list("pk", flat=True))
    whole = between_dags(dag_ids, links() if with_links else (), uses(drawn_references()))
    names = [(item["label"], item["type"]) for item in whole["nodes"]][: 2 * MOST_DRAWN]
    graph = _part(whole, asked) if asked.focus else whole
    if graph is None:
        return Lineage(Drawing(), [], names, f"Nothing here is named {asked.focus}. Show all, or choose another one.")
    if len(graph["nodes"]) > MOST_DRAWN:
        text = f"{len(graph['nodes']):,} assets and DAGs hang together here: too many for one picture. Name one to draw around."
        return Lineage(Drawing(), [], names, text)
    return _drawn(graph, names)


def lineage_of(asset: Asset) -> Lineage:
    """Draw an asset with the DAGs beside it and the assets beside these; five queries."""
    aliases = [alias.pk for alias in asset.aliases.all()]
    named = Q(asset=asset) | Q(alias__in=aliases) | Q(name=asset.name, uri="") | Q(uri=asset.uri, name="")
    dag_ids = set(drawn_references().filter(named).values_list("dag_id", flat=True)[:MOST_NEAR])
    rows = drawn_references().filter(dag__in=dag_ids).order_by("pk")[: 4 * MOST_NEAR]
    graph = between_dags(dag_ids, (), uses(rows))
    part = around(graph, f"asset:{asset.pk}", upstream=True, downstream=True, depth=2)
    drawn = _drawn(part or {"nodes": [], "edges": []}, [])
    for node in drawn.drawing.nodes:
        if node["id"] == f"asset:{asset.pk}":
            node["is_focus"] = True
    return drawn


def _part(graph: Graph, asked: Asked) -> Graph | None:
    known = {item["label"]: item["id"] for item in reversed(graph["nodes"])} | {item["id"]: item["id"] for item in graph["nodes"]}
    directions = {"upstream": asked.scope in ("both", "up"), "downstream": asked.scope in ("both", "down")}
    return around(graph, known.get(asked.focus, ""), depth=asked.depth, **directions)


def _drawn(graph: Graph, names: list[tuple[str, str]]) -> Lineage:
    upstream: dict[str, list[str]] = defaultdict(list)
    downstream: dict[str, list[str]] = defaultdict(list)
    for item in graph["edges"]:
        upstream[item["target_id"]].append(item["source_id"])
        downstream[item["source_id"]].append(item["target_id"])
    by_id = {item["id"]: item for item in graph["nodes"]}
    ordered = [by_id[name] for name in in_drawing_order(by_id, upstream)]
    states, facts = _dag_facts(ordered), _asset_facts(ordered)
    nodes = [_node(item, states, facts) for item in ordered]
    groups = [_group(name) for name in dict.fromkeys(node["parent"] for node in nodes if "parent" in node)]
    edges = [{"s": item["source_id"], "t": item["target_id"]} for item in graph["edges"]]
    shown = {name: {state: 1} for name, (state, _) in states.items() if state}
    rows = [_row(item, by_id, upstream, downstream, states, facts) for item in ordered]
    return Lineage(Drawing([*groups, *nodes], edges, {"states": shown}), rows, names)


def _dag_facts(nodes: Iterable[Json]) -> dict[str, tuple[str | None, bool]]:
    """Return (state of the newest run, whether it is paused) by node; one query."""
    ids = [item["label"] for item in nodes if item["type"] == "dag"]
    newest = runs_of_dag().order_by("-run_after", "-id").values("state")[:1]
    rows: Any = Dag.objects.filter(pk__in=ids).annotate(last_run_state=Subquery(newest))
    return {f"dag:{pk}": (state, paused) for pk, state, paused in rows.values_list("pk", "last_run_state", "is_paused")}


def _asset_facts(nodes: Iterable[Json]) -> dict[str, tuple[str, datetime | None]]:
    """Return (group, when it last changed) by node; one query."""
    keys = [item["id"].removeprefix("asset:") for item in nodes if item["type"] == "asset"]
    rows: Any = assets().filter(pk__in=[int(key) for key in keys if key.isdecimal()])
    return {f"asset:{pk}": (group, at) for pk, group, at in rows.values_list("pk", "group", "last_event_at")}


def _node(item: Json, states: Mapping[str, Any], facts: Mapping[str, Any]) -> Json:
    found = {"id": item["id"], "label": item["label"], "kind": item["type"], "url": outside_address(item["type"], item["id"])}
    if item["id"] in states and states[item["id"]][1]:
        found["note"] = "DAG, paused"
    if item["id"] in facts:
        group, at = facts[item["id"]]
        found["note"] = f"changed {distance(at - utcnow())}" if at else "no event yet"
        if group != NO_GROUP:
            found["parent"] = f"group:{group}"
    return {name: value for name, value in found.items() if value}


def _group(name: str) -> Json:
    return {"id": name, "label": name.removeprefix("group:"), "kind": "group", "of": "asset"}


def _row(
    item: Json,
    by_id: Mapping[str, Json],
    upstream: Mapping[str, list[str]],
    downstream: Mapping[str, list[str]],
    states: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> LineageRow:
    before, after = ([by_id[name]["label"] for name in ways.get(item["id"], ())] for ways in (upstream, downstream))
    state = states[item["id"]][0] if item["id"] in states else None
    at = facts[item["id"]][1] if item["id"] in facts else None
    return LineageRow(item["label"], item["type"], outside_address(item["type"], item["id"]), before, after, state, at)
