"""Decides which tasks of a group come first and last, with setups and teardowns taken into account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def iter_tasks(group: Any) -> Iterator[Any]:
    """Return the tasks in a group and in the groups in it, in the order of definition."""
    stack = [iter(group.children.values())]
    while stack:
        for child in stack[-1]:
            if hasattr(child, "children"):
                stack.append(iter(child.children.values()))
                break
            yield child
        else:
            stack.pop()


def first_tasks(group: Any) -> Iterator[Any]:
    """Return the tasks with no upstream task in the group."""
    tasks = {task.task_id: task for task in iter_tasks(group)}
    return (task for task in tasks.values() if task.upstream_task_ids.isdisjoint(tasks))


def last_tasks(group: Any) -> Iterator[Any]:
    """Return the tasks with no downstream task in the group; work in front of a teardown stands for the teardown."""
    tasks = {task.task_id: task for task in iter_tasks(group)}
    seen: set[str] = set()
    for task in tasks.values():
        if task.downstream_task_ids.isdisjoint(tasks):
            for last in _work_before(task, tasks) if task.is_teardown else (task,):
                if last.task_id not in seen:
                    seen.add(last.task_id)
                    yield last


def _work_before(teardown: Any, tasks: dict[str, Any]) -> Iterator[Any]:
    for task_id in sorted(teardown.upstream_task_ids):
        task = tasks.get(task_id)
        if task is None or task.is_setup:
            continue
        if task.is_teardown:
            yield from _work_before(task, tasks)
        else:
            yield task
