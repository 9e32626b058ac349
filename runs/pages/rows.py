"""Decides how pages find a run, and how they tell whether an attempt is over and how long it took."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orchestrator.kernel.clock import utcnow
from runs.models import AttemptFields, DagRun
from runs.states import DAG_RUN_FINISHED, EXECUTING, FINISHED


def run_find(dag_id: str, run_id: str) -> DagRun | None:
    """Return a run, None where there is none."""
    return (
        DagRun.objects.select_related("created_dag_version")
        .defer("created_dag_version__document")
        .filter(dag_id=dag_id, run_id=run_id)
        .first()
    )


def is_over(attempt: AttemptFields) -> bool:
    """True where an attempt writes no more."""
    return attempt.state in FINISHED or attempt.end_date is not None


def elapsed(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end, or to now."""
    return None if start is None else ((end or utcnow()) - start).total_seconds()


def goes_on(run: DagRun, states: Iterable[str | None]) -> bool:
    """True while any of several instances has work to come; in a run that is over, while any is at work."""
    if run.state in DAG_RUN_FINISHED:
        return not EXECUTING.isdisjoint(states)
    return any(state not in FINISHED for state in states)


def span_of(
    run: DagRun, states: Iterable[str | None], start: datetime | None, end: datetime | None
) -> tuple[datetime | None, float | None]:
    """Return when several instances were over and the seconds from the first start to then; to now while they go on."""
    if goes_on(run, states):
        return None, elapsed(start, None)
    return end, elapsed(start, end) if end else None
