"""Decides what is told of how long a DAG takes: its runs as bars with their waiting, and which tasks take the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Max

from runs.models import DagRun, TaskInstance
from runs.pages.charts import Chart, durations_chart
from runs.states import DagRunType

MOST_TASKS = 20
_COLUMNS = (
    *("id", "dag_id", "run_id", "state", "run_type", "logical_date", "run_after"),
    *("queued_at", "start_date", "end_date"),
)


@dataclass(frozen=True, slots=True)
class SlowTask:
    """A task with its mean and its longest duration; ``share`` is in per cent of the slowest task's mean."""

    task_id: str
    mean: float
    longest: float
    number: int
    share: int


def begun_runs(dag_id: str, number: int, run_type: str = "") -> list[DagRun]:
    """Return the newest runs that have begun, oldest first."""
    rows = DagRun.objects.filter(dag_id=dag_id, start_date__isnull=False).only(*_COLUMNS)
    if run_type in set(DagRunType):
        rows = rows.filter(run_type=run_type)
    return list(rows.order_by("-run_after", "-id")[:number])[::-1]


def chart(runs: Sequence[DagRun]) -> Chart:
    """Return the durations of runs with their waiting."""
    return durations_chart(runs, with_waiting=True)


def slow_tasks(runs: Sequence[DagRun]) -> list[SlowTask]:
    """Return the tasks that take the most time in these runs, slowest first; one query."""
    rows: Any = TaskInstance.objects.filter(dag_run_id__in=[run.pk for run in runs], duration__isnull=False).order_by()
    found = rows.values_list("task_id").annotate(mean=Avg("duration"), longest=Max("duration"), number=Count("id"))
    ordered = list(found.order_by("-mean", "task_id")[:MOST_TASKS])
    top = (ordered[0][1] if ordered else 0) or 1.0
    return [SlowTask(task, mean, longest, number, round(100 * mean / top)) for task, mean, longest, number in ordered]
