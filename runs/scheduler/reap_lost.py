"""Decides which hand-overs and attempts are lost: nobody began them, or nobody is left who runs them."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.service import Result
from orchestrator.kernel.telemetry import stopwatch
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_gone
from runs import transitions
from runs.callbacks.services import deliveries_lose
from runs.causes import Cause
from runs.executors.base import ExecutorEvent, Executors
from runs.models import TaskInstance, TaskLease
from runs.old_attempts import confirm_ended
from runs.reports import Report
from runs.states import TaskInstanceState as S

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
CLOCK_STEP_SECONDS = 5.0


class ReapLost:
    """Takes back hand-overs and ends attempts without a worker.

    A lease counts as lost only after it has expired *and* this reaper has looked without a break for one lease: an
    outage of the scheduler or of the database expires nothing (C03-a).
    """

    name = "reap_lost"
    periodic = True

    def __init__(self, executors: Executors) -> None:
        self.executors = executors
        self._looking_since = monotonic()
        self._looked_at = monotonic()
        self._wall_clock = utcnow()

    def run_once(self, limit: int) -> Result:
        """Look once."""
        started, now = monotonic(), utcnow()
        step = (now - self._wall_clock).total_seconds() - (started - self._looked_at)
        if started - self._looked_at > EVERY_SECONDS * 5 or abs(step) > CLOCK_STEP_SECONDS:
            self._looking_since = started  # an outage, or the clock was set: workers get a lease's time to renew
        done = self._requeue_unbegun(now, limit)
        done += self._lose_ownerless(now, limit)
        done += self._lose_expired(now, limit)
        self._looked_at, self._wall_clock = monotonic(), utcnow()
        return Result(done=done, next_in=EVERY_SECONDS)

    def _requeue_unbegun(self, now: datetime, limit: int) -> int:
        """Queued attempts whose owner is dead at once, others after ``dispatch_ack_timeout_seconds`` (C02-a)."""
        queued = list(
            TaskInstance.objects.filter(state=S.QUEUED)
            .order_by("queued_dttm")
            .values_list("id", "dispatch_id", "queued_by", "queued_dttm")[: limit * 5]
        )
        gone = _owners_gone({row[2] for row in queued if row[2]})
        late = now - timedelta(seconds=float(conf.get("scheduler", "dispatch_ack_timeout_seconds")))
        # Without an owner it was committed while no supervisor ran: nobody has it.
        due = {row[0]: row[1] for row in queued if row[2] is None or row[2] in gone or (row[3] or late) <= late}
        if not due:
            return 0
        with transaction.atomic():
            return len(transitions.requeue(due, now=now, cause=Cause.LAUNCH_ERROR))

    def _lose_ownerless(self, now: datetime, limit: int) -> int:
        """Running attempts whose supervisor is certainly dead: its tasks died with it."""
        running = TaskInstance.objects.filter(state=S.RUNNING)
        owners = running.exclude(queued_by=None).values_list("queued_by", flat=True).distinct()
        gone = processes_gone(owner for owner in owners if owner)
        if not gone:
            return 0
        rows = running.filter(queued_by__in=gone).order_by("id").values_list("id", "dispatch_id")[:limit]
        what = "the supervisor that ran it is gone"
        return _lose([_report(row[0], row[1], now, Cause.SUPERVISOR_DIED, what) for row in rows], now)

    def _lose_expired(self, now: datetime, limit: int) -> int:
        if monotonic() - self._looking_since < float(conf.get("workers", "lease_seconds")):
            return 0
        expired = TaskLease.objects.filter(expires_at__lt=now).order_by("expires_at").values_list("ti_id", "dispatch_id", "owner")
        reports = [
            _report(ti_id, dispatch_id, now, Cause.LEASE_LOST, f"no heartbeat from {owner}")
            for ti_id, dispatch_id, owner in expired[:limit]
        ]
        return _lose(reports, now, expired_only=True)


class HearExecutors:
    """Carries out what executors say of their hand-overs."""

    name = "hear_executors"

    def __init__(self, executors: Executors) -> None:
        self.executors = executors
        self._heard: list[ExecutorEvent] = []  # until they are carried out: a failed write forgets none

    def run_once(self, limit: int) -> Result:
        """Take all news; an executor that fails hinders no other."""
        for executor in self.executors:
            try:
                with stopwatch("scheduler.executor_heartbeat_duration", executor=type(executor).__name__):
                    self._heard += executor.events()
            except Exception:
                log.exception("executor %s cannot say what happened", executor.name)
        events, now = self._heard, utcnow()
        if not events:
            return Result()
        with transaction.atomic():
            _take_back_rejected([event for event in events if event.kind == "rejected"], now)
            lost = [event for event in events if event.kind == "lost"]
            transitions.requeue({event.ti_id: event.dispatch_id for event in lost}, now=now, cause=Cause.SUPERVISOR_DIED)
            transitions.lose([_report(e.ti_id, e.dispatch_id, now, e.cause, e.detail) for e in lost], now=now)
            _take_back_callbacks(events, now)
            confirm_ended([event.ti_id for event in lost])
        self._heard = []
        return Result(done=len(events))


# What a worker refuses because it goes away is handed to another at once.
_PASSING = {Cause.EVICTED, Cause.HOST_DIED, Cause.SUPERVISOR_DIED}


def _take_back_rejected(events: list[ExecutorEvent], now: datetime) -> None:
    """Make refused hand-overs again: at once, or after a pause where the launch itself failed (C02-d).

    Where the server refused the start, the attempt is not this hand-over's any more and the dispatch id does not fit.
    """
    passing = {e.ti_id: e.dispatch_id for e in events if e.cause in _PASSING}
    failed = [e for e in events if e.cause not in _PASSING]
    transitions.requeue(passing, now=now, cause=Cause.EVICTED)
    dispatches, errors = {e.ti_id: e.dispatch_id for e in failed}, {e.ti_id: e.detail[:2000] or e.cause for e in failed}
    transitions.requeue(dispatches, now=now, cause=Cause.LAUNCH_ERROR, errors=errors)


def _take_back_callbacks(events: list[ExecutorEvent], now: datetime) -> None:
    """Hand callbacks over again that did not come to their end; executors know them by their dispatch id."""
    for event in events:
        if event.ti_id == event.dispatch_id:
            deliveries_lose([event.dispatch_id], now=now, why=event.detail or event.cause)


def _owners_gone(owners: set[UUID]) -> set[UUID]:
    """Return supervisors that are dead, or whose scheduler is: a hand-over may have died with it before it was sent."""
    gone = processes_gone(owners)
    schedulers = {
        pk: UUID(detail["scheduler"])
        for pk, detail in Process.objects.filter(pk__in=owners - gone).values_list("pk", "detail")
        if detail.get("scheduler")
    }
    dead = processes_gone(schedulers.values())
    return gone | {pk for pk, scheduler in schedulers.items() if scheduler in dead}


def _report(ti_id: UUID, dispatch_id: UUID | None, now: datetime, cause: str, detail: str) -> Report:
    return Report(ti_id, dispatch_id, S.FAILED, end_date=now, cause=cause, cause_detail=detail)


def _lose(reports: list[Report], now: datetime, *, expired_only: bool = False) -> int:
    if not reports:
        return 0
    with transaction.atomic():
        return len(transitions.lose(reports, now=now, expired_only=expired_only))
