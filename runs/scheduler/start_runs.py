"""Decides which queued runs begin: at most ``max_active_runs`` of a DAG at once, and no DAG hides another."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Min, Q

from dags_app.models import Dag
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs import transitions
from runs.models import DagRun
from runs.scheduler.holdings import Holdings
from runs.scheduler.load_run import load_run
from runs.scheduler.overlap import startable
from runs.scheduler.set_aside import clear_error, set_aside_dag, set_aside_run
from runs.services_hold import HELD
from runs.states import DagRunState

# Wake-ups of a busy scheduler come by the hundred a second; new runs are looked for at most this often.
SHORTEST_PAUSE_SECONDS = 0.05


class StartRuns:
    """Begins queued runs and takes them in."""

    name = "start_runs"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._looked_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Begin at most ``limit`` runs."""
        wait = self._looked_at + SHORTEST_PAUSE_SECONDS - monotonic()
        if wait > 0 and not self.holdings.may_start_runs:
            return Result(next_in=wait)
        self._looked_at, self.holdings.may_start_runs = monotonic(), False
        now = utcnow()
        started = 0
        dags = _dags_with_room(now)
        share = max(1, limit // max(1, len(dags)))  # a DAG with a long backlog must not hold up the others
        more = False
        for dag_id in dags[:limit]:
            try:
                number = self._start_of(dag_id, share, now)
            except Exception as error:
                set_aside_dag(dag_id, error)
                continue
            started += number
            more |= number >= share
        self.holdings.may_start_runs |= more
        return Result(done=started, more=more)

    def _start_of(self, dag_id: str, limit: int, now: datetime) -> int:
        started = _claim(dag_id, limit, self.holdings, now)
        for run in started:
            fault_point("start_run.after_commit")
            try:
                load_run(self.holdings, run)
            except Exception as error:
                set_aside_run(self.holdings, run.pk, error)
            else:
                clear_error(self.holdings, run.pk, dag_id)
        return len(started)


def may_begin(now: datetime) -> Q:
    """Return the condition for a queued run that is due, of a DAG that is switched on; those of backfills included."""
    may = Q(scheduling_retry_at=None) | Q(scheduling_retry_at__lte=now)
    due = Q(state=DagRunState.QUEUED, run_after__lte=now, dag__is_paused=False, dag__is_stale=False)
    return may & due & ~Q(wait_reason=HELD)


def _queued(now: datetime) -> Q:
    return may_begin(now) & Q(backfill__isnull=True)


def _dags_with_room(now: datetime) -> list[str]:
    """Return the DAGs that have queued runs and free run slots; two queries, whatever the number of runs."""
    grouped = DagRun.objects.filter(_queued(now)).values_list("dag_id", "dag__max_active_runs").annotate(oldest=Min("run_after"))
    waiting = {dag_id: most for dag_id, most, _ in grouped.order_by("oldest", "dag_id")}
    if not waiting:
        return []
    active = DagRun.objects.filter(state=DagRunState.RUNNING, backfill__isnull=True).order_by()
    running = Counter(dict(active.values_list("dag_id").annotate(number=Count("id"))))
    return [dag_id for dag_id, most in waiting.items() if most is None or running[dag_id] < most]


def _claim(dag_id: str, limit: int, holdings: Holdings, now: datetime) -> list[DagRun]:
    """Begin the oldest queued runs of one DAG within its cap, counted and spent while the DAG's row is held."""
    with transaction.atomic():
        dag = Dag.objects.select_for_update().get(pk=dag_id)
        running = DagRun.objects.filter(dag_id=dag_id, state=DagRunState.RUNNING, backfill__isnull=True).count()
        free = limit if dag.max_active_runs is None else min(limit, dag.max_active_runs - running)
        queued = startable(dag, DagRun.objects.filter(_queued(now), dag_id=dag_id))
        candidates = queued.order_by("run_after", "pk")[: max(free, 0)]
        ids = list(candidates.values_list("pk", flat=True))
        started = [pk for pk in ids if transitions.start_run(pk, scheduler_id=holdings.scheduler_id, now=now)]
    return list(DagRun.objects.filter(pk__in=started).select_related("dag").order_by("run_after", "pk"))
