"""Decides what is told of a DAG below its grid: which tasks failed, how its durations went, which errors came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import OuterRef
from django.db.models.functions import Left

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.listing import ListOf
from runs.cause_words import cause_words
from runs.fingerprints import LOOKED_AT, fingerprint, first_line
from runs.models import DagRun, TaskInstance
from runs.pages.charts import NARROW, Chart, durations_chart

DAYS = 30
MOST_FAILURES = 500
# So many task instances are looked at; a DAG with very many tasks has fewer runs looked at.
MOST_LOOKED_AT, FEWEST_RUNS, MOST_RUNS = 20_000, 20, 1000
MOST_TASKS = 8
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

    @property
    def said(self) -> str:
        """What the failures say, in one line."""
        return self.text or cause_words(self.cause)


@dataclass(frozen=True, slots=True)
class Cards:
    """What is below the grid. ``is_cut``: only the newest failures were looked at; ``span``: how far back."""

    failures: list[TaskFailures]
    errors: list[ErrorGroup]
    trend: Chart
    total: int
    is_cut: bool
    span: str


def recent_runs() -> ListOf:
    """Return the keys of the runs of the last days, newest first, as a column for the query that reads the DAG."""
    since = utcnow() - timedelta(days=DAYS)
    rows = DagRun.objects.filter(dag_id=OuterRef("pk"), run_after__gte=since).order_by("-run_after", "-id")
    return ListOf(rows[:MOST_RUNS], "pk")


def cards_of(dag: Dag, tasks: int, recent: Sequence[Sequence[int]]) -> Cards:
    """Return the cards of a DAG; two queries, and no more rows to look at for a long history.

    Args:
        dag: the DAG.
        tasks: how many tasks it has.
        recent: its ``recent_runs``.
    """
    number = min(MOST_RUNS, max(FEWEST_RUNS, MOST_LOOKED_AT // max(1, tasks)))
    runs = [pk for (pk,) in recent[:number]]
    failed = failures_in(runs)
    counts = Counter(row.task_id for row in failed)
    most = max(counts.values(), default=1)
    failures = [TaskFailures(task_id, times, round(100 * times / most)) for task_id, times in counts.most_common(MOST_TASKS)]
    is_cut = len(failed) == MOST_FAILURES
    span = f"newest {number} runs" if len(runs) == number else f"{DAYS} d"
    return Cards(failures, grouped(failed)[:MOST_GROUPS], trend_of(dag.pk), len(failed), is_cut, span)


def failures_in(run_ids: Sequence[int]) -> list[TaskInstance]:
    """Return the newest failed task instances of some runs with the beginning of what they say."""
    if not run_ids:
        return []
    rows = TaskInstance.objects.filter(dag_run_id__in=run_ids, state="failed").annotate(said=Left("cause_detail", LOOKED_AT))
    columns = ("id", "dag_id", "run_id", "task_id", "map_index", "cause", "start_date", "end_date")
    return list(rows.only(*columns).order_by("-end_date", "-id")[:MOST_FAILURES])


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
