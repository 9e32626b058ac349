"""Decides when a blocker is to be expected out of the way: from the median of what its task took in the last runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from statistics import median

from runs.models import DagRun, TaskInstance
from runs.states import TaskInstanceState

RUNS = 20


def usual_seconds(dag_id: str, task_ids: Collection[str]) -> dict[str, float]:
    """Return the median duration of successful instances in the last runs, by task; one query."""
    recent = DagRun.objects.filter(dag_id=dag_id).order_by("-run_after").values("pk")[:RUNS]
    rows = TaskInstance.objects.filter(dag_run_id__in=recent, task_id__in=task_ids, state=TaskInstanceState.SUCCESS)
    found: dict[str, list[float]] = defaultdict(list)
    for task_id, seconds in rows.exclude(duration=None).values_list("task_id", "duration"):
        found[task_id].append(seconds or 0.0)
    return {task_id: median(values) for task_id, values in found.items()}


def expected_end(rows: Iterable[TaskInstance], usual: dict[str, float], now: datetime, *, first: bool = False) -> datetime | None:
    """Return when the last of the rows (or the first) should be done; None where one of them has no history."""
    ends = []
    for row in rows:
        seconds = usual.get(row.task_id)
        if seconds is None and not first:
            return None
        if seconds is not None:
            begun = row.start_date if row.state == TaskInstanceState.RUNNING and row.start_date else now
            ends.append(max(begun + timedelta(seconds=seconds), now))
    return (min(ends) if first else max(ends)) if ends else None
