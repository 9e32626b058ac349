"""Decides which tasks of a group come first and last, with setups and teardowns taken into account."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol


class Member(Protocol):
    """What must be known of a task, be it the author's object or its document."""

    @property
    def upstream_task_ids(self) -> Collection[str]:
        """The tasks before it."""

    @property
    def downstream_task_ids(self) -> Collection[str]:
        """The tasks after it."""

    @property
    def is_setup(self) -> bool:
        """Whether it sets up."""

    @property
    def is_teardown(self) -> bool:
        """Whether it tears down."""


def iter_tasks(group: Any) -> Iterator[Any]:
    """Return the tasks in a group and in the groups in it, in the order of definition; a group's own tasks come first."""
    groups = [group]
    for current in groups:
        for child in current.children.values():
            if hasattr(child, "children"):
                groups.append(child)
            else:
                yield child


def first_tasks(group: Any) -> Iterator[Any]:
    """Return the tasks with no upstream task in the group."""
    tasks = {task.task_id: task for task in iter_tasks(group)}
    return (tasks[task_id] for task_id in first_ids(tasks))


def last_tasks(group: Any) -> Iterator[Any]:
    """Return the tasks with no downstream task in the group; last work in front of a teardown stands for the teardown."""
    tasks = {task.task_id: task for task in iter_tasks(group)}
    return (tasks[task_id] for task_id in last_ids(tasks))


def first_ids(tasks: Mapping[str, Member]) -> list[str]:
    """Return the ids of the tasks of a group, given by id, that no other task of it comes before."""
    return [task_id for task_id, task in tasks.items() if tasks.keys().isdisjoint(task.upstream_task_ids)]


def last_ids(tasks: Mapping[str, Member]) -> list[str]:
    """Return the ids of the tasks of a group that no other task of it comes after, see ``last_tasks``."""
    found: dict[str, None] = {}
    for task_id, task in tasks.items():
        if tasks.keys().isdisjoint(task.downstream_task_ids):
            found.update(dict.fromkeys(_work_before(task, tasks) if task.is_teardown else [task_id]))
    return list(found)


def _work_before(teardown: Member, tasks: Mapping[str, Member]) -> Iterator[str]:
    for task_id in sorted(teardown.upstream_task_ids):
        task = tasks.get(task_id)
        if task is None or task.is_setup:
            continue
        if task.is_teardown:
            yield from _work_before(task, tasks)
        elif all(tasks[near].is_teardown for near in task.downstream_task_ids if near in tasks):
            yield task_id


def tasks_before(group: Any) -> list[Any]:
    """Return what an arrow from the group starts at: its last tasks, for a group without work those that it comes after."""
    while not group.is_root:
        if found := list(last_tasks(group)) or [group.dag.get_task(task_id) for task_id in sorted(group.upstream_task_ids)]:
            return found
        group = group.parent_group
    return []
