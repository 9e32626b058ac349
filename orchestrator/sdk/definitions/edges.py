"""Decides how edges are drawn in bulk (chain, cross) and what a label on an edge means."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from orchestrator.sdk.definitions.dependency import DependencyMixin, Others, flatten


class EdgeModifier(DependencyMixin):
    """Something between two nodes that says more about their edge: ``a >> Label("yes") >> b``."""

    def __init__(self, label: str | None = None) -> None:
        self.label = label
        self._upstream: list[Any] = []
        self._downstream: list[Any] = []

    @property
    def roots(self) -> list[Any]:
        """Return the nodes after the label."""
        return self._downstream

    @property
    def leaves(self) -> list[Any]:
        """Return the nodes before the label."""
        return self._upstream

    def set_upstream(self, other: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Put ``other`` before the label; draws the edges when both sides are known."""
        self._upstream = list(flatten(other))
        self._draw()

    def set_downstream(self, other: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Put ``other`` after the label; draws the edges when both sides are known."""
        self._downstream = list(flatten(other))
        self._draw()

    def update_relative(self, other: Any, upstream: bool = True, edge_modifier: EdgeModifier | None = None) -> None:
        """Hear from a node that it is beside this label."""
        nodes = self._upstream if upstream else self._downstream
        if not any(node is other for node in nodes):
            nodes.append(other)
        self._draw()

    def add_edge_info(self, dag: Any, upstream_id: str, downstream_id: str) -> None:
        """Store the label on one edge."""
        if self.label:
            dag.set_edge_info(upstream_id, downstream_id, {"label": self.label})

    def _draw(self) -> None:
        for first in self._upstream:
            if self._downstream:
                first.set_downstream(self._downstream, edge_modifier=self)


def Label(label: str) -> EdgeModifier:
    """Return a label for the edge it is put on."""
    return EdgeModifier(label=label)


def chain(*tasks: Others) -> None:
    """Put each argument downstream of the one before; two lists in a row are joined pair by pair.

    Raises ``ValueError`` if two neighbouring lists differ in length.
    """
    for first, second in itertools.pairwise(tasks):
        if not isinstance(first, DependencyMixin) and not isinstance(second, DependencyMixin):
            if len(_sequence(first)) != len(_sequence(second)):
                raise ValueError(f"chain() got neighbouring lists of lengths {len(first)} and {len(second)}; they must be equal")
            for one, other in zip(first, second, strict=True):
                one.set_downstream(other)
        elif isinstance(first, DependencyMixin):
            _checked(second)
            first.set_downstream(second)
        else:
            _checked(first)
            second.set_upstream(first)


def chain_linear(*elements: Others) -> None:
    """Put each argument downstream of the one before; two lists in a row are joined each with each.

    Raises ``ValueError`` if no edge can be drawn.
    """
    if not elements:
        raise ValueError("chain_linear() got no tasks; give it at least two")
    before: Sequence[Any] | None = None
    drawn = False
    for element in elements:
        group = [element] if isinstance(element, DependencyMixin) else _sequence(element)
        if not group:
            continue
        for first in before or ():
            first.set_downstream(list(group))
            drawn = True
        before = group
    if not drawn:
        raise ValueError("chain_linear() drew no edge; give it at least two tasks or non-empty lists")


def cross_downstream(from_tasks: Sequence[Any], to_tasks: Others) -> None:
    """Put every task of ``to_tasks`` downstream of every task of ``from_tasks``."""
    for task in from_tasks:
        task.set_downstream(to_tasks)


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(f"chain() takes tasks, task groups, labels and lists of them, not {type(value).__name__} {value!r:.100}")
    return value


def _checked(value: Any) -> None:
    if not isinstance(value, DependencyMixin):
        _sequence(value)
