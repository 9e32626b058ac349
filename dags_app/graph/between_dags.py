"""Decides the graph of all DAGs: who triggers whom, who waits for whom, and which assets lie between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from dags_app.graph.outside import Link, Place

Node = dict[str, Any]
Graph = dict[str, list[dict[str, Any]]]


class Use(NamedTuple):
    """A DAG that an asset starts, or that writes it."""

    dag_id: str
    place: Place
    is_schedule: bool


def between_dags(dag_ids: Collection[str], links: Iterable[Link], uses: Iterable[Use]) -> Graph:
    """Return ``{"nodes", "edges"}``; links to DAGs that are not among ``dag_ids`` are left out, and so is who has none."""
    drawn = _Drawn()
    for use in uses:
        asset = _node(use.place.node_id, use.place.label, use.place.kind)
        drawn.add(*((asset, _dag(use.dag_id)) if use.is_schedule else (_dag(use.dag_id), asset)))
    for link in links:
        if link.source in dag_ids and link.target in dag_ids:
            drawn.add(_dag(link.source), _node(link.node_id, link.label, link.kind), _dag(link.target))
    return {
        "edges": [{"source_id": source, "target_id": target} for source, target in sorted(drawn.edges)],
        "nodes": [drawn.nodes[node_id] for node_id in sorted(drawn.nodes)],
    }


def component(graph: Graph, node_id: str) -> Graph | None:
    """Return the part of a graph that hangs together with a node, None where the graph has no such node."""
    beside: dict[str, list[str]] = {item["id"]: [] for item in graph["nodes"]}
    if node_id not in beside:
        return None
    for item in graph["edges"]:
        beside[item["source_id"]].append(item["target_id"])
        beside[item["target_id"]].append(item["source_id"])
    found, front = {node_id}, [node_id]
    while front:
        fresh = set(beside[front.pop()]) - found
        found |= fresh
        front.extend(fresh)
    return {
        "edges": [item for item in graph["edges"] if item["source_id"] in found],
        "nodes": [item for item in graph["nodes"] if item["id"] in found],
    }


def around(graph: Graph, node_id: str, *, upstream: bool, downstream: bool, depth: int | None) -> Graph | None:
    """Return a node with what is before it, after it, or both; ``depth`` counts edges. None where there is no such node."""
    if all(item["id"] != node_id for item in graph["nodes"]):
        return None
    ways = [("target_id", "source_id")] * upstream + [("source_id", "target_id")] * downstream
    found = {node_id}.union(*(_reached(graph, node_id, *way, depth) for way in ways))
    return {
        "edges": [item for item in graph["edges"] if item["source_id"] in found and item["target_id"] in found],
        "nodes": [item for item in graph["nodes"] if item["id"] in found],
    }


def _reached(graph: Graph, node_id: str, start: str, end: str, depth: int | None) -> set[str]:
    beside: dict[str, set[str]] = {}
    for item in graph["edges"]:
        beside.setdefault(item[start], set()).add(item[end])
    found, front = {node_id}, {node_id}
    while front and (depth is None or depth > 0):
        front = {other for name in front for other in beside.get(name, ())} - found
        found |= front
        depth = None if depth is None else depth - 1
    return found


class _Drawn:
    """What is drawn so far."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: set[tuple[str, str]] = set()

    def add(self, *way: Node) -> None:
        """Draw nodes and the edges from each to the next."""
        self.nodes |= {item["id"]: item for item in way}
        self.edges |= {(one["id"], other["id"]) for one, other in pairwise(way)}


def _dag(dag_id: str) -> Node:
    return _node(f"dag:{dag_id}", dag_id, "dag")


def _node(node_id: str, label: str, kind: str) -> Node:
    return {"id": node_id, "label": label, "type": kind, "team": None}
