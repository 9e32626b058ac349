"""Decides the document from which a page draws a graph (static/js/graph.js): flat nodes that name their group; edges; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runs.pages.worst import WORST_FIRST

Json = dict[str, Any]
Counts = Mapping[str, int]
Address = Callable[[str, str], str]
"""Returns where a node leads by its kind and id, ``""`` where nowhere."""

DONE = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """Nodes in drawing order, each before those after it, and edges. ``facts`` are what the page says besides."""

    nodes: list[Json] = field(default_factory=list)
    edges: list[Json] = field(default_factory=list)
    facts: Json = field(default_factory=dict)

    @property
    def document(self) -> Json:
        """What the script reads."""
        return {"nodes": self.nodes, "edges": self.edges, "order": WORST_FIRST, **self.facts}

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to draw."""
        return not self.nodes


def drawing(structure: Json, address: Address, **facts: Any) -> Drawing:
    """Return the drawing of a DAG's structure (dags_app/graph/structure.py)."""
    nodes = [_node(item, parent, address) for item, parent in _flat(structure["nodes"], None)]
    return Drawing(nodes, [_edge(item) for item in structure["edges"]], facts)


def _flat(nodes: Iterable[Json], parent: str | None) -> Iterator[tuple[Json, str | None]]:
    for item in nodes:
        yield item, parent
        yield from _flat(item.get("children") or (), item["id"])


def _node(item: Json, parent: str | None, address: Address) -> Json:
    kind = "group" if item.get("children") is not None else item["type"]
    if kind == "asset-condition":
        kind = item["asset_condition_type"]
    found = {
        "id": item["id"],
        "label": item["label"],
        "kind": kind,
        "parent": parent,
        "operator": item.get("operator"),
        "setup": item.get("setup_teardown_type"),
        "mapped": item.get("is_mapped"),
        "tip": item.get("tooltip"),
        "url": address(kind, item["id"]),
    }
    return {name: value for name, value in found.items() if value not in (None, "", False)}


def _edge(item: Json) -> Json:
    found = {"s": item["source_id"], "t": item["target_id"], "label": item.get("label"), "scope": item.get("is_setup_teardown")}
    return {name: value for name, value in found.items() if value}
