"""Decides which runs are old: finished, from before the moment of their DAG, and not among its newest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from runs.models import DagRun
from runs.retention.rules import Rules
from runs.states import DAG_RUN_FINISHED

RUNS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class OldRun:
    """One run that goes."""

    pk: int
    dag_id: str
    run_id: str


def old_runs(rules: Rules) -> Iterator[list[OldRun]]:
    """Yield old runs, the oldest first, a few at a time; constant memory, whatever there is.

    The index on ``run_after`` is walked once: what stays is passed over and not looked at again.
    """
    latest = rules.latest
    if latest is None:
        return
    newest = _Newest(rules.keep_runs)
    place: tuple[datetime, int] | None = None
    while True:
        rows = _page(latest, place)
        found = [OldRun(*row[:3]) for row in rows if _is_old(rules, newest, row[1], row[3], row[4])]
        if found:
            yield found
        if len(rows) < RUNS_AT_ONCE:
            return
        place = rows[-1][3], rows[-1][0]


def still_old(pks: list[int]) -> list[int]:
    """Lock runs until the end of the transaction; return those that are finished: a person may have cleared one."""
    rows = DagRun.objects.select_for_update().filter(pk__in=pks, state__in=list(DAG_RUN_FINISHED)).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _page(latest: datetime, place: tuple[datetime, int] | None) -> list[tuple[int, str, str, datetime, datetime | None]]:
    rows = DagRun.objects.filter(run_after__lt=latest, state__in=list(DAG_RUN_FINISHED))
    if place is not None:
        rows = rows.filter(run_after__gte=place[0]).filter(Q(run_after__gt=place[0]) | Q(pk__gt=place[1]))
    columns = ("pk", "dag_id", "run_id", "run_after", "end_date")
    return list(rows.order_by("run_after", "pk").values_list(*columns)[:RUNS_AT_ONCE])


def _is_old(rules: Rules, newest: _Newest, dag_id: str, run_after: datetime, end_date: datetime | None) -> bool:
    before = rules.before(dag_id)
    if before is None or run_after >= before or (end_date is not None and end_date >= before):
        return False
    return newest.leaves(dag_id, run_after)


class _Newest:
    """Knows from when on the runs of a DAG are its newest; asked once for each DAG."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._from: dict[str, datetime | None] = {}

    def leaves(self, dag_id: str, run_after: datetime) -> bool:
        """Return whether a run from this moment is not among the newest."""
        if self._keep <= 0:
            return True
        if dag_id not in self._from:
            rows = DagRun.objects.filter(dag_id=dag_id).order_by("-run_after").values_list("run_after", flat=True)
            self._from[dag_id] = next(iter(rows[self._keep - 1 : self._keep]), None)
        first = self._from[dag_id]
        return first is not None and run_after < first
