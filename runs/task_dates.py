"""Decides whether a task is part of a run: its own start and end date may begin later and end sooner than those of the DAG."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from orchestrator.sdk.serialization.spec import TaskSpec
from runs.states import DagRunType


def has_instances(task: TaskSpec, logical_date: datetime | None, run_type: str) -> bool:
    """Return whether the task has instances in a run; as in Airflow what is below a task without instances waits for it.

    A run without logical date and a backfill have all tasks.
    """
    if logical_date is None or run_type == DagRunType.BACKFILL:
        return True
    start, end = _instant(task.start_date), _instant(task.end_date)
    return (start is None or start <= logical_date) and (end is None or logical_date <= end)


@lru_cache(maxsize=1000)  # most tasks of a DAG have its dates
def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
