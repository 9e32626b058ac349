"""Decides what ``>>`` and ``<<`` mean between tasks, groups, XCom references, labels and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.edges import EdgeModifier

Others = Any  # a DependencyMixin or a sequence of them


class DependencyMixin:
    """Everything that can stand beside an arrow."""

    @property
    def roots(self) -> Iterable[Any]:
        """Return the nodes that come first in this thing; an upstream arrow ends at them."""
        raise NotImplementedError

    @property
    def leaves(self) -> Iterable[Any]:
        """Return the nodes that come last in this thing; a downstream arrow starts at them."""
        raise NotImplementedError

    def set_upstream(self, other: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Make ``other`` (one or a sequence) run before this."""
        raise NotImplementedError

    def set_downstream(self, other: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Make ``other`` (one or a sequence) run after this."""
        raise NotImplementedError

    def update_relative(self, other: Any, upstream: bool = True, edge_modifier: EdgeModifier | None = None) -> None:
        """Hear that ``other`` is now upstream (or downstream) of this; groups and labels take note."""

    def as_setup(self) -> Any:
        """Make this a setup task."""
        raise NotImplementedError

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: bool | None = None) -> Any:
        """Make this a teardown task of ``setups``."""
        raise NotImplementedError

    def __lshift__(self, other: Others) -> Others:
        self.set_upstream(other)
        return other

    def __rshift__(self, other: Others) -> Others:
        self.set_downstream(other)
        return other

    def __rrshift__(self, other: Others) -> DependencyMixin:
        self.__lshift__(other)
        return self

    def __rlshift__(self, other: Others) -> DependencyMixin:
        self.__rshift__(other)
        return self


class ResolveMixin:
    """A value that is known only when the task runs."""

    def iter_references(self) -> Iterable[tuple[Any, str]]:
        """Return the pairs of task and XCom key that the value needs."""
        raise NotImplementedError

    def resolve(self, context: Any) -> Any:
        """Return the value in a running task."""
        raise NotImplementedError


def flatten(item: Others) -> Iterator[Any]:
    """Return the things in a list as one stream; one thing is a stream of itself."""
    if isinstance(item, Sequence) and not isinstance(item, str):
        yield from item
    else:
        yield item
