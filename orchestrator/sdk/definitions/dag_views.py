"""Decides what can be read off a DAG: its tasks, groups, owners, first and last tasks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.task_group import TaskGroup


class DagViews:
    """What follows from the settings and tasks of a DAG."""

    task_dict: dict[str, Any]
    task_group: TaskGroup
    fileloc: str
    timetable: Any
    on_success_callback: Any
    on_failure_callback: Any

    @property
    def tasks(self) -> list[Any]:
        """Return all tasks in the order of definition."""
        return list(self.task_dict.values())

    @property
    def task_ids(self) -> list[str]:
        """Return the ids of all tasks in the order of definition."""
        return list(self.task_dict)

    @property
    def task_group_dict(self) -> dict[str, TaskGroup]:
        """Return all groups by id, without the root."""
        return {name: group for name, group in self.task_group.get_task_group_dict().items() if name is not None}

    @property
    def folder(self) -> str:
        """Return the folder of the file."""
        return os.path.dirname(self.fileloc)

    @property
    def owner(self) -> str:
        """Return all owners of tasks, joined by commas."""
        return ", ".join(sorted({task.owner for task in self.tasks}))

    @property
    def timetable_summary(self) -> str:
        """Return the schedule in short."""
        return str(self.timetable.summary)

    @property
    def roots(self) -> list[Any]:
        """Return the tasks without upstream tasks."""
        return [task for task in self.tasks if not task.upstream_task_ids]

    @property
    def leaves(self) -> list[Any]:
        """Return the tasks without downstream tasks."""
        return [task for task in self.tasks if not task.downstream_task_ids]

    @property
    def teardowns(self) -> list[Any]:
        """Return the teardown tasks."""
        return [task for task in self.tasks if task.is_teardown]

    @property
    def tasks_upstream_of_teardowns(self) -> list[Any]:
        """Return the work tasks directly before teardowns."""
        return [task for teardown in self.teardowns for task in teardown.upstream_list if not task.is_setup]

    @property
    def has_on_success_callback(self) -> bool:
        """Return whether something is called when a run succeeds."""
        return self.on_success_callback is not None

    @property
    def has_on_failure_callback(self) -> bool:
        """Return whether something is called when a run fails."""
        return self.on_failure_callback is not None
