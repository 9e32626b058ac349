"""Decides which tasks of a DAG belong together: what is above and below a task, and the setups and teardowns it needs; pure.

A setup is *relevant* to a work task if it stands above it and either has no teardown or has one below the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Literal

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec

Direction = Literal["upstream", "downstream"]


class TaskRelations:
    """The relations of one DAG's tasks. Costs are proportional to the edges; setups cost only where there are any."""

    def __init__(self, dag: DagSpec) -> None:
        self.tasks: Mapping[str, TaskSpec] = dag.task_by_id()
        self._children = {group.group_id: group.children for group in dag.task_groups}
        self.has_scopes = any(task.is_setup or task.is_teardown for task in dag.tasks)

    def group_members(self, group_id: str) -> set[str] | None:
        """Return the tasks of a group and of the groups inside it; None where the DAG has no such group."""
        if group_id not in self._children:
            return None
        members: set[str] = set()
        waiting = [group_id]
        while waiting:
            for child in self._children[waiting.pop()]:
                if child in self._children:
                    waiting.append(child)
                else:
                    members.add(child)
        return members

    def relatives(self, task_ids: Iterable[str], direction: Direction, depth: int | None = None) -> set[str]:
        """Return the tasks above or below the given ones; one of them only where it is above or below another.

        ``depth`` is the longest way in edges, None for any.
        """
        next_of = self._next(direction)
        found: set[str] = set()
        front = {task_id for task_id in task_ids if task_id in self.tasks}
        while front and (depth is None or depth > 0):
            front = {near for task_id in front for near in next_of(task_id) if near in self.tasks} - found
            found |= front
            depth = None if depth is None else depth - 1
        return found

    def subset(
        self, task_ids: Iterable[str], *, upstream: bool = False, downstream: bool = False, depth: int | None = None
    ) -> set[str]:
        """Return the tasks with their relatives as asked, and with the setups and teardowns that belong to them."""
        named = {task_id for task_id in task_ids if task_id in self.tasks}
        below = self.relatives(named, "downstream", depth) if downstream else set()
        above = self.relatives(named, "upstream", depth) if upstream else set()
        reached = named | below | above
        if not self.has_scopes:
            return reached
        for task_id in below - named if upstream else below | named:
            reached |= self._own_scope(task_id)
        for task_id in above if downstream else above | named:
            reached |= self._closers(task_id)
        return reached

    def _next(self, direction: Direction) -> Callable[[str], list[str]]:
        if direction == "upstream":
            return lambda task_id: self.tasks[task_id].upstream_task_ids
        return lambda task_id: self.tasks[task_id].downstream_task_ids

    def _closers(self, task_id: str) -> set[str]:
        """Return the teardowns directly below a setup; nothing for other tasks."""
        task = self.tasks[task_id]
        return {t for t in task.downstream_task_ids if t in self.tasks and self.tasks[t].is_teardown} if task.is_setup else set()

    def _own_scope(self, task_id: str) -> set[str]:
        """Return the relevant setups of a work task and their teardowns; nothing for setups and teardowns themselves."""
        if self.tasks[task_id].is_setup or self.tasks[task_id].is_teardown:
            return set()
        scope: set[str] = set()
        for setup in self._setups_above[task_id]:
            closers = self._closers(setup)
            if not closers or closers & self._teardowns_below[task_id]:
                scope |= {setup} | closers
        return scope

    @cached_property
    def _setups_above(self) -> dict[str, frozenset[str]]:
        return self._collected(self.tasks.values(), lambda task: task.upstream_task_ids, lambda task: task.is_setup)

    @cached_property
    def _teardowns_below(self) -> dict[str, frozenset[str]]:
        ordered = reversed(list(self.tasks.values()))
        return self._collected(ordered, lambda task: task.downstream_task_ids, lambda task: task.is_teardown)

    def _collected(
        self, ordered: Iterable[TaskSpec], next_of: Callable[[TaskSpec], list[str]], counts: Callable[[TaskSpec], bool]
    ) -> dict[str, frozenset[str]]:
        """Return for each task the tasks in one direction that count; equal sets are shared, so that chains cost little."""
        found: dict[str, frozenset[str]] = {}
        for task in ordered:
            result: frozenset[str] = frozenset()
            for near in next_of(task):
                part = found[near] | {near} if counts(self.tasks[near]) else found[near]
                if not part <= result:
                    result = part if result <= part else result | part
            found[task.task_id] = result
        return found
