"""Decides which indexes of one task belong to an index of another one in the same mapped group."""

from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec


class Alignment(NamedTuple):
    """For each index of their common mapped group, one task has ``mine`` indexes and looks at ``theirs`` of the other.

    A group inside of a mapped group multiplies its indexes: index ``i`` inside belongs to ``i // length`` outside.
    """

    mine: int = 1
    theirs: int = 1

    def sources(self, index: int) -> range:
        """Return the indexes that an index looks at."""
        first = index // self.mine * self.theirs
        return range(first, first + self.theirs)

    def watchers(self, index: int) -> range:
        """Return the indexes that look at an index of the other task."""
        first = index // self.theirs * self.mine
        return range(first, first + self.mine)


class Alignments:
    """The mapped groups of a DAG."""

    def __init__(self, dag: DagSpec) -> None:
        self._groups = {group.group_id: group for group in dag.task_groups if group.group_id is not None}

    def between(self, task: TaskSpec, other: TaskSpec) -> Alignment | None:
        """Return how ``task`` looks at ``other``; None if it looks at all its indexes."""
        if task.mapped_group_id is None or other.mapped_group_id is None:
            return None
        if task.mapped_group_id == other.mapped_group_id:
            return Alignment()
        mine, theirs = list(self._around(task.mapped_group_id)), list(self._around(other.mapped_group_id))
        common = next((group_id for group_id in theirs if group_id in mine), None)
        if common is None:
            return None
        inside, further = self._length_inside(mine, common), self._length_inside(theirs, common)
        # Without a length known from the start, or with none at all, no index belongs to another.
        return Alignment(inside, further) if inside and further else None

    def _around(self, group_id: str) -> Iterator[str]:
        group: TaskGroupSpec | None = self._groups.get(group_id)
        while group is not None and group.group_id is not None:
            if group.is_mapped:
                yield group.group_id
            group = self._groups.get(group.parent_id) if group.parent_id is not None else None

    def _length_inside(self, around: list[str], common: str) -> int | None:
        total = 1
        for group_id in takewhile(lambda item: item != common, around):
            expand = self._groups[group_id].expand
            if expand is None or expand.length is None:
                return None
            total *= expand.length
        return total
