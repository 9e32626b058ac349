"""Decides which tasks of a DAG a clear or a mark reaches from those that a person names; pure, no database.

A task's setups and teardowns are cleared along with it, as ``dags_app/graph/relations.py`` tells which they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dags_app.graph.relations import Direction, TaskRelations

Marker = str | tuple[str, int]
"""A task id (all its map indexes), or one index of it."""


@dataclass(slots=True)
class Chosen:
    """What is named: whole tasks, and single map indexes of others."""

    tasks: set[str] = field(default_factory=set)
    indexes: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def of(cls, markers: Iterable[Marker]) -> Chosen:
        """Sort markers into whole tasks and single indexes."""
        chosen = cls()
        for marker in markers:
            if isinstance(marker, str):
                chosen.tasks.add(marker)
            else:
                chosen.indexes.add(marker)
        return chosen

    @property
    def task_ids(self) -> set[str]:
        """Every task that is named, whole or in part."""
        return self.tasks | {task_id for task_id, _ in self.indexes}

    def add(self, other: Chosen) -> None:
        """Take in what another one names."""
        self.tasks |= other.tasks
        self.indexes |= other.indexes

    def holds(self, task_id: str, map_index: int) -> bool:
        """Return whether a task instance is named."""
        return task_id in self.tasks or (task_id, map_index) in self.indexes


class ClearScope(TaskRelations):
    """The reach of clears and marks in one DAG."""

    def with_relatives(self, chosen: Chosen, direction: Direction) -> Chosen:
        """Return the relatives of what is chosen in one run; inside a mapped group an index reaches the same index only."""
        found = Chosen(tasks=self.subset(chosen.tasks, **{direction: True}))
        whole: set[str] = set()
        for task_id, map_index in chosen.indexes:
            task = self.tasks.get(task_id)
            if task is None:
                continue
            if not task.is_mapped and task.mapped_group_id is None:
                whole.add(task_id)
                continue
            for near in self.relatives([task_id], direction):
                if task.mapped_group_id is not None and self.tasks[near].mapped_group_id == task.mapped_group_id:
                    found.indexes.add((near, map_index))
                else:
                    whole.add(near)
        found.tasks |= whole | self.subset(whole, **{direction: True})
        return found

    def reach(self, chosen: Chosen, *, upstream: bool, downstream: bool, one_run: bool) -> Chosen:
        """Return everything that a clear of ``chosen`` reaches.

        Args:
            one_run: the run is known, so that single indexes have relatives of their own. Downstream is then also
                followed from what upstream added.
        """
        reached = Chosen(set(chosen.tasks), set(chosen.indexes))
        if one_run:
            if upstream:
                reached.add(self.with_relatives(reached, "upstream"))
            if downstream:
                reached.add(self.with_relatives(reached, "downstream"))
        elif upstream or downstream:
            wider = self.subset(chosen.task_ids, upstream=upstream, downstream=downstream)
            in_part = {task_id for task_id, _ in chosen.indexes}
            reached.tasks |= wider - (in_part - self._relatives_of(chosen, upstream, downstream))
        reached.tasks |= self.subset(reached.task_ids) - reached.task_ids
        return reached

    def _relatives_of(self, chosen: Chosen, upstream: bool, downstream: bool) -> set[str]:
        above = self.relatives(chosen.task_ids, "upstream") if upstream else set()
        return above | (self.relatives(chosen.task_ids, "downstream") if downstream else set())
