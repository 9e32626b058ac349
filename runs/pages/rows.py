"""Decides what the pages show: DAGs with their recent runs, a run with its tasks, a try with its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from orchestrator.kernel.clock import utcnow
from runs.models import AttemptFields, DagRun, TaskInstance
from runs.states import FINISHED

RECENT_RUNS = 14
DAGS_PER_PAGE = 50
TASKS_PER_PAGE = 500

# What needs a person comes first, what is done last.
_URGENCY = (("failed", 0), ("upstream_failed", 1), ("awaiting_input", 2), ("up_for_retry", 3), ("running", 4), ("queued", 5))
_DONE = (("success", 8), ("skipped", 9), ("removed", 10))


def run_find(dag_id: str, run_id: str) -> DagRun | None:
    """Return a run, None where there is none."""
    return (
        DagRun.objects.select_related("created_dag_version")
        .defer("created_dag_version__document")
        .filter(dag_id=dag_id, run_id=run_id)
        .first()
    )


def run_tasks(run: DagRun) -> QuerySet[TaskInstance]:
    """Return the task instances of a run, what needs a person first; ``shown_name`` is what the author calls the task."""
    whens = [When(state=state, then=Value(rank)) for state, rank in (*_URGENCY, *_DONE)]
    urgency = Case(*whens, default=Value(6), output_field=IntegerField())
    name = Subquery(run.task_instances.filter(task_id=OuterRef("task_id"), map_index__lte=0).values("task_display_name")[:1])
    rows = run.task_instances.annotate(shown_name=name)
    return rows.order_by(urgency, "start_date", "task_id", "map_index")[:TASKS_PER_PAGE]


def shown_name(attempt: AttemptFields) -> str:
    """Return what the author calls the task of an attempt; later map indexes do not know it themselves."""
    rows = TaskInstance.objects.filter(dag_id=attempt.dag_id, run_id=attempt.run_id, task_id=attempt.task_id, map_index__lte=0)
    return rows.values_list("task_display_name", flat=True).first() or attempt.task_id


def run_counts(run: DagRun) -> list[dict[str, Any]]:
    """Return how many task instances of a run are in each state."""
    counts: Any = run.task_instances.values("state").annotate(number=Count("id")).order_by("state")
    return list(counts)


def is_over(attempt: AttemptFields) -> bool:
    """True where an attempt writes no more."""
    return attempt.state in FINISHED or attempt.end_date is not None


def elapsed(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end, or to now."""
    return None if start is None else ((end or utcnow()) - start).total_seconds()


def open_runs(dag_id: str) -> int:
    """Return how many runs of a DAG are queued or running."""
    return DagRun.objects.filter(Q(dag_id=dag_id)).unfinished().count()
