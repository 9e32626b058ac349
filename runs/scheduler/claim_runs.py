"""Decides who decides a run: runs without an owner, or whose owner is certainly gone, are taken over."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from orchestrator.kernel.telemetry import count, is_on
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_gone
from runs.models import DagRun, TaskInstance
from runs.scheduler.holdings import Holdings
from runs.scheduler.load_run import load_run
from runs.scheduler.set_aside import clear_error, set_aside_run
from runs.states import DagRunState

LOOK_EVERY_SECONDS = 1.0


class ClaimRuns:
    """Takes over running runs that nobody owns, and reads again those whose picture in memory is behind."""

    name = "claim_runs"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Read stale runs again; take over at most ``limit`` runs."""
        read = self._read_again()
        if monotonic() < self._look_at:
            return Result(done=read)
        claimed = self._claim(limit)
        more = len(claimed) >= limit
        self._look_at = monotonic() + (0.0 if more else LOOK_EVERY_SECONDS)
        return Result(done=read + len(claimed), more=more)

    def _read_again(self) -> int:
        stale = list(self.holdings.stale)
        for run_pk in stale:
            self.holdings.drop(run_pk)
            self._load(run_pk)
        return len(stale)

    def _claim(self, limit: int) -> list[int]:
        now = utcnow()
        may = Q(scheduling_retry_at=None) | Q(scheduling_retry_at__lte=now)
        running = DagRun.objects.filter(may, state=DagRunState.RUNNING)
        owners = set(running.order_by().values_list("scheduler_id", flat=True).distinct())
        owners.discard(self.holdings.scheduler_id)
        gone = _gone({owner for owner in owners if owner})
        claimed = []
        for owner in [*([None] if None in owners else []), *gone]:
            ids = list(running.filter(scheduler_id=owner).order_by("run_after", "pk").values_list("pk", flat=True)[:limit])
            for pk in ids:
                won = DagRun.objects.filter(pk=pk, scheduler_id=owner, state=DagRunState.RUNNING)
                if won.update(scheduler_id=self.holdings.scheduler_id, scheduling_error="", scheduling_retry_at=None):
                    claimed.append(pk)
                    fault_point("claim_run.after_claim")
                    self._load(pk)
                    _count_adopted(pk, owner)
        return claimed + self._agree(limit)

    def _agree(self, limit: int) -> list[int]:
        """Hold what is ours by the rows and nothing else: an error may follow a claim, and a person may take a run back."""
        mine = DagRun.objects.filter(state=DagRunState.RUNNING, scheduler_id=self.holdings.scheduler_id)
        if mine.count() == len(self.holdings.runs):
            return []
        ours = set(mine.values_list("pk", flat=True))
        for pk in self.holdings.runs.keys() - ours:
            self.holdings.drop(pk)
        missing = sorted(ours - self.holdings.runs.keys())[:limit]
        for pk in missing:
            self._load(pk)
        return missing

    def _load(self, run_pk: int) -> None:
        run = DagRun.objects.select_related("dag").filter(pk=run_pk, scheduler_id=self.holdings.scheduler_id).first()
        if run is None or run.state != DagRunState.RUNNING:
            self.holdings.drop(run_pk)
            return
        try:
            load_run(self.holdings, run)
        except Exception as error:
            set_aside_run(self.holdings, run_pk, error)
        else:
            clear_error(self.holdings, run_pk, run.dag_id)


def _count_adopted(run_pk: int, owner: UUID | None) -> None:
    """Count the attempts in hand of a run that another scheduler had, where somebody takes it."""
    if owner is not None and is_on():
        count("scheduler.orphaned_tasks.adopted", TaskInstance.objects.filter(dag_run_id=run_pk).occupying().count())


def _gone(owners: set[UUID]) -> list[UUID]:
    """Return the owners that are dead here, have ended, or whose heartbeat is so old that they have stopped themselves."""
    if not owners:
        return []
    gone = processes_gone(owners)
    silent_since = utcnow() - timedelta(seconds=2 * float(conf.get("scheduler", "scheduler_health_check_threshold")))
    gone |= set(Process.objects.filter(pk__in=owners, heartbeat_at__lt=silent_since).values_list("pk", flat=True))
    return sorted(gone)
