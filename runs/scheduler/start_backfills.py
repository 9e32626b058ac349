"""Decides which runs of backfills begin, after all other runs, and when a backfill is done."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from dags_app.models import Dag
from orchestrator.database import for_update
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs import transitions
from runs.backfills.membership import detach_from_closed
from runs.backfills.selectors import backfills_open
from runs.models import Backfill, BackfillRun, DagRun
from runs.scheduler.holdings import Holdings
from runs.scheduler.load_run import load_run
from runs.scheduler.set_aside import clear_error, set_aside_dag, set_aside_run
from runs.scheduler.start_runs import may_begin
from runs.states import DagRunState

# With nothing open, the one query that finds this out is made this often.
LOOK_EVERY_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 0.1


class StartBackfills:
    """Begins queued runs of open backfills in their order, each backfill within its own ``max_active_runs``."""

    name = "start_backfills"
    poll_seconds = 5.0

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Begin at most ``limit`` runs; close the backfills that have none left."""
        wait = self._look_at - monotonic()
        if wait > 0 and not self.holdings.may_start_backfills:
            return Result(next_in=wait)
        self.holdings.may_start_backfills = False
        now = utcnow()
        opened = list(backfills_open().order_by("created_at", "pk")[:100])
        self._look_at = monotonic() + (SHORTEST_PAUSE_SECONDS if opened else LOOK_EVERY_SECONDS)
        done = sum(self._serve(backfill, limit, now) for backfill in opened)
        if not opened:
            detach_from_closed()  # of a run cleared in the moment in which its backfill was closed
        return Result(done=done, next_in=LOOK_EVERY_SECONDS if opened else None)

    def _serve(self, backfill: Backfill, limit: int, now: datetime) -> int:
        try:
            left = set(
                DagRun.objects.unfinished().filter(backfill=backfill).order_by().values_list("state", flat=True).distinct()
            )
            if not left:
                return _close(backfill, now)
            return self._start(backfill, limit, now) if DagRunState.QUEUED in left and not backfill.is_paused else 0
        except Exception as error:
            set_aside_dag(backfill.dag_id, error)
            return 0

    def _start(self, backfill: Backfill, limit: int, now: datetime) -> int:
        started = _claim(backfill, limit, self.holdings, now)
        for run in started:
            fault_point("start_backfill.after_commit")
            try:
                load_run(self.holdings, run)
            except Exception as error:
                set_aside_run(self.holdings, run.pk, error)
            else:
                clear_error(self.holdings, run.pk, run.dag_id)
        return len(started)


def _claim(backfill: Backfill, limit: int, holdings: Holdings, now: datetime) -> list[DagRun]:
    """Begin the next runs of one backfill, counted and spent while its row is held."""
    waiting = DagRun.objects.filter(may_begin(now), backfill=backfill)
    if not waiting.exists():
        return []
    with transaction.atomic():
        for_update(Dag.objects.filter(pk=backfill.dag_id)).first()  # the order in which a cancel takes its locks
        held = for_update(Backfill.objects.filter(pk=backfill.pk, is_paused=False, completed_at=None)).first()
        if held is None:
            return []
        running = DagRun.objects.filter(backfill=held, state=DagRunState.RUNNING).count()
        place = BackfillRun.objects.filter(backfill=held, dag_run_id__isnull=False).order_by("sort_ordinal")
        order = place.filter(dag_run__in=waiting).values_list("dag_run_id", flat=True)
        ids = list(order[: max(0, min(limit, held.max_active_runs - running))])
        started = [pk for pk in ids if pk and transitions.start_run(pk, scheduler_id=holdings.scheduler_id, now=now)]
    found = DagRun.objects.select_related("dag").in_bulk(started)
    return [found[pk] for pk in started]


def _close(backfill: Backfill, now: datetime) -> int:
    """Mark a backfill as completed once none of its runs is unfinished."""
    left = DagRun.objects.unfinished().filter(backfill_id=OuterRef("pk"))
    done = Backfill.objects.filter(~Exists(left), pk=backfill.pk, completed_at=None)
    return done.update(completed_at=now, updated_at=now)
