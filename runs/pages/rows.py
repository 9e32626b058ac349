"""Decides how pages find a run, and how they tell whether an attempt is over and how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from orchestrator.kernel.clock import utcnow
from runs.models import AttemptFields, DagRun
from runs.pages.run.run_facts import with_facts
from runs.states import DAG_RUN_FINISHED, EXECUTING, FINISHED
from runs.states import TaskInstanceState as S

# It runs, or waits within its try for a trigger or a person; after that wait its time goes on from its first start.
TRY_GOES_ON = frozenset({S.RUNNING, S.RESTARTING, S.DEFERRED, S.AWAITING_INPUT})


def run_find(dag_id: str, run_id: str) -> DagRun | None:
    """Return a run with what the head of its pages tells, None where there is none."""
    rows = with_facts(DagRun.objects.select_related("created_dag_version").defer("created_dag_version__document"))
    return rows.filter(dag_id=dag_id, run_id=run_id).first()


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
    run: DagRun, counts: Mapping[str | None, int] | Mapping[str, int], start: datetime | None, end: datetime | None
) -> tuple[datetime | None, float | None]:
    """Return when instances, counted by state, were over and the seconds from the first start to then; to now while they go on.

    A single one counts on only while a try of it goes on: the next try, and the next look of a sensor, begins its time anew.
    """
    is_single = sum(counts.values()) == 1
    if goes_on(run, counts) and not (is_single and TRY_GOES_ON.isdisjoint(counts)):
        return None, elapsed(start, None)
    return end, elapsed(start, end) if end else None
