"""Decides which runs of many DAGs are shown as their newest, by two bounded queries however long the history is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from dags_app.models import Dag
from runs.models import DagRun

SHOWN_RUNS = 14
_AT_ONCE = 100
_COLUMNS = ("id", "dag_id", "run_id", "state", "run_type", "run_after", "logical_date", "start_date", "end_date", "stopped_by")


def newest_runs(dag_ids: Iterable[str], number: int = SHOWN_RUNS) -> dict[str, list[DagRun]]:
    """Return the newest runs of each DAG, oldest first.

    First is asked how far back each DAG's runs reach, by its index alone; then the runs since.
    """
    found: dict[str, list[DagRun]] = defaultdict(list)
    for some in _parts(list(dag_ids)):
        wanted = Q()
        for dag_id, since in _reach(some, number):
            wanted |= Q(dag_id=dag_id) if since is None else Q(dag_id=dag_id, run_after__gte=since)
        for run in DagRun.objects.filter(wanted).only(*_COLUMNS).order_by("run_after", "id") if wanted else ():
            found[run.dag_id].append(run)
    return defaultdict(list, {dag_id: runs[-number:] for dag_id, runs in found.items()})


def _reach(dag_ids: Sequence[str], number: int) -> Iterator[tuple[str, datetime | None]]:
    """Yield since when the last runs of a DAG are; None where it has fewer."""
    runs = DagRun.objects.filter(dag_id=OuterRef("pk")).order_by("-run_after")
    last = Subquery(runs.values("run_after")[number - 1 : number])
    yield from Dag.objects.filter(pk__in=dag_ids).annotate(since=last).order_by().values_list("pk", "since")


def _parts(dag_ids: list[str]) -> Iterator[list[str]]:
    yield from (dag_ids[start : start + _AT_ONCE] for start in range(0, len(dag_ids), _AT_ONCE))
