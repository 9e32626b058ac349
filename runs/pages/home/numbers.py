"""Decides how many there are of what the home page tells, all by one query, so that nothing is asked of what is not there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from dags_app.models import ParseImportError
from dags_app.selectors import bundles_unreadable
from orchestrator.counting import CountOf
from orchestrator.listing import ask_once
from runs.deadlines.selectors import deadlines
from runs.hitl.selectors import waiting
from runs.models import DagRun, Deadline, TaskInstance
from runs.states import DagRunState, TaskInstanceState

RECENT_HOURS = 24
COUNT_CAP = 1000


def numbers_of(now: datetime) -> dict[str, int]:
    """Return by its name how many there are of each; runs and task instances are counted up to a cap."""
    numbers = ask_once(
        running=CountOf(_some(DagRun.objects.running())),
        queued=CountOf(_some(DagRun.objects.filter(state=DagRunState.QUEUED))),
        scheduled=CountOf(_some(TaskInstance.objects.filter(state=TaskInstanceState.SCHEDULED))),
        questions=CountOf(waiting()),
        missed=CountOf(missed_deadlines(now)),
        errors=CountOf(ParseImportError.objects.all()),
        bundles=CountOf(bundles_unreadable()),
    )
    # For who reaches no DAG nothing is counted of what belongs to DAGs.
    return {name: number or 0 for name, number in numbers.items()}


def missed_deadlines(now: datetime) -> QuerySet[Deadline]:
    """Return the deadlines that were missed lately."""
    return deadlines(state=Deadline.State.MISSED).filter(deadline_time__gte=now - timedelta(hours=RECENT_HOURS))


def _some(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return rows.values("pk")[:COUNT_CAP]
