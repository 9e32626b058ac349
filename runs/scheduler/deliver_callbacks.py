"""Decides when deliveries are handed to executors, and which hand-overs are lost."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs.callbacks.kinds import Kind
from runs.callbacks.services import Outcome, deliveries_claim, deliveries_end, deliveries_expired, deliveries_lose
from runs.callbacks.triggering import callback_trigger
from runs.callbacks.workloads import hand_over_of
from runs.executors.base import Executors
from runs.models import Callback

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS = 0.2  # wake-ups of a busy scheduler come by the hundred a second


class DeliverCallbacks:
    """Hands over what is due, a few at a time. A death between commit and hand-over is repaired by the lease."""

    name = "deliver_callbacks"

    def __init__(self, executors: Executors) -> None:
        self.executors = executors
        self._look_at = self._watch_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Look once: one query where nothing is due."""
        wait = self._look_at - monotonic()
        if wait > 0:
            return Result(next_in=wait)
        self._look_at = monotonic() + SHORTEST_PAUSE_SECONDS
        now = utcnow()
        waiting = Callback.objects.filter(state=Callback.State.PENDING, next_attempt_at__isnull=False)
        due_at = waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
        done = self._take_back_lost(now, limit)
        if due_at is None or due_at > now:
            return Result(done=done, next_in=_until(due_at, now))
        handed = self._hand_over(now)
        return Result(done=done + handed, more=False, next_in=SHORTEST_PAUSE_SECONDS if handed else 1.0)

    def _hand_over(self, now: datetime) -> int:
        room = int(conf.get("callbacks", "callback_parallelism")) - _running()
        if room <= 0:
            return 0
        with transaction.atomic():
            groups = deliveries_claim(now=now, limit=room)
            for group in groups:
                if group[0].kind == Kind.DEADLINE_ASYNC:
                    callback_trigger(group[0], now=now)
        fault_point("callbacks.after_commit")
        for group in groups:
            if group[0].kind == Kind.DEADLINE_ASYNC:
                continue
            try:
                self._submit(group)
            except Exception as error:  # one poisonous delivery hinders no other (I4)
                log.exception("delivery %s cannot be handed over", group[0].pk)
                _fail(group, f"it cannot be handed over: {type(error).__name__}: {error}")
        return len(groups)

    def _submit(self, group: list[Callback]) -> None:
        item = hand_over_of(group)
        name = group[0].payload.get("executor")
        executor = self.executors.named(name)
        if executor is None and group[0].kind == Kind.TASK:
            executor = self.executors.default  # its task's executor is gone, and the author should hear all the same
        if executor is None:
            raise LookupError(f"the executor {name!r} is not configured; known are {', '.join(self.executors.by_name)}")
        executor.submit([item])

    def _take_back_lost(self, now: datetime, limit: int) -> int:
        if monotonic() < self._watch_at:
            return 0
        self._watch_at = monotonic() + EVERY_SECONDS
        lost = deliveries_expired(now=now, limit=limit)
        if lost:
            with transaction.atomic():
                deliveries_lose(lost, now=now, why="no executor reported on it in time")
        return len(lost)


def _running() -> int:
    running = Callback.objects.filter(state=Callback.State.RUNNING, lease_until__isnull=False)
    return running.values("dispatch_id").distinct().count()


def _fail(group: list[Callback], why: str) -> None:
    dispatch_id = group[0].dispatch_id
    if dispatch_id is not None:
        with transaction.atomic():
            deliveries_end(Outcome(dispatch_id, False, why), now=utcnow())


def _until(due_at: datetime | None, now: datetime) -> float:
    return min(EVERY_SECONDS, max(0.05, (due_at - now).total_seconds())) if due_at else EVERY_SECONDS
