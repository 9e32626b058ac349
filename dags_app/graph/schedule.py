"""Decides how a schedule over assets is drawn: a gate for each "and" and "or", with the assets before it."""

from __future__ import annotations

from itertools import count

from dags_app.asset_mentions import leaves
from dags_app.graph.outside import Lookup
from dags_app.graph.parts import Edge, Node, edge, node
from orchestrator.sdk.serialization.spec import Json

_GATES = {"asset_all": "and-gate", "asset_any": "or-gate"}


class ScheduleGraph:
    """The nodes and edges before the first node of a DAG, ``entry``; empty where no asset starts it."""

    def __init__(self, condition: Json, entry: str, find: Lookup) -> None:
        self.nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str], Edge] = {}
        self._find, self._numbers = find, count()
        if isinstance(condition, dict) and any(leaves(condition)):
            self._draw(condition, entry, is_source_asset=True)

    @property
    def edges(self) -> list[Edge]:
        """The edges, each from what lets a run begin to what it opens."""
        return list(self._edges.values())

    def _draw(self, part: dict[str, Json], goal: str, is_source_asset: bool | None) -> None:
        if (gate := _GATES.get(str(part.get("type")))) is None:
            place = self._find(part)
            self._add(node(place.key, place.label, place.kind), goal, is_source_asset)
            return
        name = f"{gate}-{next(self._numbers)}"
        self._add(node(name, name, "asset-condition", asset_condition_type=gate), goal, bool(is_source_asset))
        for inner in sorted(part.get("objects") or (), key=lambda item: str(item.get("type")) in _GATES):
            self._draw(inner, name, is_source_asset=None)

    def _add(self, made: Node, goal: str, is_source_asset: bool | None) -> None:
        self.nodes.setdefault(made["id"], made)
        self._edges[made["id"], goal] = edge(made["id"], goal, is_source_asset=is_source_asset)
