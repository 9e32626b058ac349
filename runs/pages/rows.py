"""Decides how pages find a run, and how they tell whether an attempt is over and how long it took."""

from __future__ import annotations

from datetime import datetime

from orchestrator.kernel.clock import utcnow
from runs.models import AttemptFields, DagRun
from runs.states import FINISHED


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
