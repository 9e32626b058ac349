"""Decides the whole graph of a DAG or of a part of it, and, where that is asked for, what is around the DAG."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dags_app.asset_mentions import leaves
from dags_app.graph.edges import edges
from dags_app.graph.nodes import nodes
from dags_app.graph.outside import TRIGGER, Link, Lookup, links_of
from dags_app.graph.parts import Edge, Node, edge, node
from dags_app.graph.relations import TaskRelations
from dags_app.graph.schedule import ScheduleGraph
from dags_app.graph.tree import GroupTree
from orchestrator.sdk.serialization.spec import DagSpec


@dataclass(frozen=True, slots=True)
class Outside:
    """What must be known besides a DAG's document: its assets, and the tasks of other DAGs that trigger it."""

    find: Lookup
    triggers: Sequence[Link] = ()


def structure(dag: DagSpec, part: Collection[str] | None = None, outside: Outside | None = None) -> dict[str, Any]:
    """Return ``{"nodes", "edges"}``; ``part`` are the tasks to show, ``outside`` adds what is around the DAG."""
    tree = GroupTree(dag, part)
    inner, drawn = nodes(tree), edges(tree, dag.edge_info)
    if outside is None or not inner:
        return {"edges": drawn, "nodes": inner}
    around = _Around(dag, tree, inner[0]["id"], outside)
    return {"edges": [*drawn, *around.edges], "nodes": [*inner, *around.nodes.values()]}


def part_of(dag: DagSpec, root: str, *, upstream: bool, downstream: bool, depth: int | None) -> set[str]:
    """Return the tasks around ``root`` and the setups and teardowns that they need.

    ``root`` is a task or a group; what is neither means all tasks with that text in their id. ``depth`` counts edges.
    """
    relations = TaskRelations(dag)
    named = {root} if root in relations.tasks else relations.group_members(root)
    if named is None:
        named = {task_id for task_id in relations.tasks if root in task_id}
    return relations.subset(named, upstream=upstream, downstream=downstream, depth=depth)


class _Around:
    """The nodes beside a DAG; each hangs on the task that it concerns, and what starts the DAG on its first node."""

    def __init__(self, dag: DagSpec, tree: GroupTree, entry: str, outside: Outside) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self._tree = tree
        self._draw_links(dag, entry, outside.triggers)
        self._draw_outlets(outside.find)
        schedule = ScheduleGraph(dag.asset_condition, entry, outside.find)
        self.nodes |= schedule.nodes
        self.edges += schedule.edges

    def _draw_links(self, dag: DagSpec, entry: str, triggers: Sequence[Link]) -> None:
        for link in links_of(dag):
            if link.task_id in self._tree.tasks:
                ends = (link.task_id, link.node_id) if link.kind == TRIGGER else (link.node_id, link.task_id)
                self._add(node(link.node_id, link.label, link.kind), *ends)
        for link in triggers:
            self._add(node(link.node_id, link.label, link.kind), link.node_id, entry)

    def _draw_outlets(self, find: Lookup) -> None:
        for task_id, task in self._tree.tasks.items():
            for place in dict.fromkeys(find(leaf) for port in task.outlets for leaf in leaves(port)):
                self._add(node(place.node_id, place.label, place.kind), task_id, place.node_id)

    def _add(self, made: Node, source: str, target: str) -> None:
        self.nodes.setdefault(made["id"], made)
        self.edges.append(edge(source, target))
