"""Decides which runs of many DAGs are shown as their newest, by one query that is bounded however long the history is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from runs.models import DagRun

SHOWN_RUNS = 14
_AT_ONCE = 100
_COLUMNS = ("id", "dag_id", "run_id", "state", "run_type", "run_after", "logical_date", "start_date", "end_date", "stopped_by")


def reach(dag: str = "pk", number: int = SHOWN_RUNS) -> Subquery:
    """Return how far back the newest runs of a DAG go, to be annotated where its id is read; null where it has fewer.

    It is found by an index alone. With it ``newest_runs`` knows from where on to read; an inequality with this subquery in
    one query with the runs would be asked for each of them.
    """
    runs = DagRun._base_manager.filter(dag_id=OuterRef(dag)).order_by("-run_after")
    return Subquery(runs.values("run_after")[number - 1 : number])


def newest_runs(since: Mapping[str, datetime | None], number: int = SHOWN_RUNS) -> dict[str, list[DagRun]]:
    """Return the newest runs of each DAG, oldest first, given how far back they go: see ``reach``."""
    found: dict[str, list[DagRun]] = defaultdict(list)
    for runs in _reads(since):
        for run in runs.only(*_COLUMNS).order_by("run_after", "id"):
            found[run.dag_id].append(run)
    return defaultdict(list, {dag_id: runs[-number:] for dag_id, runs in found.items()})


def newest_of(dag_id: str, number: int = SHOWN_RUNS) -> list[DagRun]:
    """Return the newest runs of one DAG, newest first."""
    return list(DagRun.objects.filter(dag_id=dag_id).only(*_COLUMNS).order_by("-run_after", "-id")[:number])


def _reads(since: Mapping[str, datetime | None]) -> Iterator[QuerySet[DagRun]]:
    """Yield the runs since then of a hundred DAGs at a time; no page has more."""
    places = list(since.items())
    for start in range(0, len(places), _AT_ONCE):
        wanted = Q()
        for dag_id, begin in places[start : start + _AT_ONCE]:
            wanted |= Q(dag_id=dag_id) if begin is None else Q(dag_id=dag_id, run_after__gte=begin)
        yield DagRun.objects.filter(wanted)
