"""Decides what is told of a DAG below its grid: which tasks failed, how its durations went, which errors came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models.functions import Left

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from runs.fingerprints import LOOKED_AT, fingerprint, first_line
from runs.models import DagRun, TaskInstance
from runs.pages.charts import NARROW, Chart, durations_chart

DAYS = 30
MOST_FAILURES = 500
MOST_GROUPS = 5
TREND_RUNS = 60


@dataclass(frozen=True, slots=True)
class TaskFailures:
    """How often a task failed; ``share`` is in per cent of the one that failed most."""

    task_id: str
    number: int
    share: int


@dataclass(slots=True)
class ErrorGroup:
    """Failures that say the same but for numbers: the newest of them, how many, and which tasks."""

    text: str
    cause: str
    newest: TaskInstance
    number: int = 0
    tasks: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Cards:
    """What is below the grid. ``is_cut``: only the newest failures were looked at."""

    failures: list[TaskFailures]
    errors: list[ErrorGroup]
    trend: Chart
    total: int
    is_cut: bool
    days: int = DAYS


def cards_of(dag: Dag) -> Cards:
    """Return the cards of a DAG; two queries."""
    failed = recent_failures(dag.pk, utcnow() - timedelta(days=DAYS))
    counts = Counter(row.task_id for row in failed)
    most = max(counts.values(), default=1)
    failures = [TaskFailures(task_id, number, round(100 * number / most)) for task_id, number in counts.most_common(8)]
    return Cards(failures, grouped(failed)[:MOST_GROUPS], trend_of(dag.pk), len(failed), len(failed) == MOST_FAILURES)


def recent_failures(dag_id: str, since: datetime) -> list[TaskInstance]:
    """Return the newest failed task instances of a DAG with the beginning of what they say."""
    rows = TaskInstance.objects.filter(dag_id=dag_id, state="failed", start_date__gte=since)
    shown = rows.annotate(said=Left("cause_detail", LOOKED_AT)).order_by("-start_date", "-id")
    return list(shown.only("id", "dag_id", "run_id", "task_id", "map_index", "cause", "start_date")[:MOST_FAILURES])


def grouped(failed: Sequence[TaskInstance]) -> list[ErrorGroup]:
    """Group failures by what they say, the most frequent first."""
    groups: dict[str, ErrorGroup] = {}
    for row in failed:
        said = row.said  # type: ignore[attr-defined]
        key = fingerprint(row.cause, said, row.task_id)
        group = groups.setdefault(key, ErrorGroup(first_line(said), row.cause or "", row))
        group.number += 1
        group.tasks.add(row.task_id)
    return sorted(groups.values(), key=lambda group: -group.number)


def trend_of(dag_id: str) -> Chart:
    """Return the durations of the newest finished runs as a chart."""
    rows = DagRun.objects.filter(dag_id=dag_id, state__in=["success", "failed"], start_date__isnull=False, end_date__isnull=False)
    columns = ("id", "dag_id", "run_id", "state", "run_type", "logical_date", "run_after", "queued_at", "start_date", "end_date")
    return durations_chart(list(rows.only(*columns).order_by("-run_after", "-id")[:TREND_RUNS])[::-1], NARROW)
