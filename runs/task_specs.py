"""Decides how a task instance finds the task that its version of the DAG defines."""

from __future__ import annotations

from dags_app.selectors import SpecUnreadableError, spec_of, task_of_version
from orchestrator.sdk.serialization.spec import TaskSpec
from runs.models import TaskInstance

__all__ = ["SpecUnreadableError", "spec_of", "task_of"]


def task_of(row: TaskInstance) -> TaskSpec | None:
    """Return the task of ``row``, or None where its version is gone, unreadable or no longer has it."""
    if row.dag_version_id is None:
        return None
    try:
        return task_of_version(row.dag_version_id, row.task_id)
    except SpecUnreadableError:
        return None
