"""Decides how many there are of what the home page tells, all by one query, so that nothing is asked of what is not there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Value

from dags_app.models import ParseImportError
from dags_app.selectors import bundles_unreadable
from runs.deadlines.selectors import deadlines
from runs.hitl.selectors import waiting
from runs.models import DagRun, Deadline, TaskInstance
from runs.states import DagRunState, TaskInstanceState

RECENT_HOURS = 24
COUNT_CAP = 1000


def numbers_of(now: datetime) -> dict[str, int]:
    """Return by its name how many there are of each; runs and task instances are counted up to a cap."""
    counted = {
        "running": _some(DagRun.objects.running()),
        "queued": _some(DagRun.objects.filter(state=DagRunState.QUEUED)),
        "scheduled": _some(TaskInstance.objects.filter(state=TaskInstanceState.SCHEDULED)),
        "questions": waiting(),
        "missed": missed_deadlines(now),
        "errors": ParseImportError.objects.all(),
        "bundles": bundles_unreadable(),
    }
    first, *others = (_counted(name, rows) for name, rows in counted.items())
    # Who reaches no DAG gets no row for what belongs to DAGs.
    return dict.fromkeys(counted, 0) | dict(first.union(*others, all=True))


def missed_deadlines(now: datetime) -> QuerySet[Deadline]:
    """Return the deadlines that were missed lately."""
    return deadlines(state=Deadline.State.MISSED).filter(deadline_time__gte=now - timedelta(hours=RECENT_HOURS))


def _some(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return rows up to the cap, as rows that can be counted in a larger query on every database."""
    some: QuerySet[Any] = rows.model._base_manager.filter(pk__in=rows.values("pk")[:COUNT_CAP])
    return some


def _counted(name: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    named: QuerySet[Any] = rows.order_by().annotate(name_of_number=Value(name)).values("name_of_number")
    counted: QuerySet[Any] = named.annotate(number=Count("pk")).values_list("name_of_number", "number")
    return counted
