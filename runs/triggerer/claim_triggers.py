"""Decides which triggers run in this triggerer: those that nobody holds under a living lease, up to its capacity."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from orchestrator.processes.presence import Presence
from orchestrator.processes.selectors import processes_gone
from runs.models import TaskInstance, Trigger
from runs.resumptions import FAIL_METHOD
from runs.states import TaskInstanceState
from runs.triggerer.lanes import Lanes
from runs.triggerer.waits import Wait, kwargs_of, wait_of, wait_of_callback, wait_of_watcher
from runs.triggerer.watch_assets import Rests

log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0


class ClaimTriggers:
    """Claims, renews and gives up triggers; what runs here and is not ours any more is stopped, with the reason."""

    name = "claim_triggers"

    def __init__(self, presence: Presence, lanes: Lanes, waits: dict[int, Wait], queues: Collection[str] = ()) -> None:
        """Claim for ``presence``: only triggers of ``queues``, without any those that have no queue."""
        self._queues = Q(queue__in=list(queues)) if queues else Q(queue__isnull=True)
        self.presence = presence
        self.lanes = lanes
        self.waits = waits
        self.rests = Rests()
        self._lease = timedelta(seconds=float(conf.get("triggerer", "triggerer_health_check_threshold")))
        self._beat_seconds = min(float(conf.get("triggerer", "job_heartbeat_sec")), self._lease.total_seconds() / 3)
        self._renewed_at = self._swept_at = monotonic()

    def run_once(self, limit: int) -> Result:
        """Look once; afterwards everything that is ours runs."""
        now, me = utcnow(), self.presence.process_id
        self._renew(me, now)
        free = int(conf.get("triggerer", "capacity")) - len(self.lanes.running)
        most = min(free, int(conf.get("triggerer", "max_trigger_to_select_per_loop")))
        claimed = self._claim(me, now, most) if most > 0 else 0
        ours = set(Trigger.objects.filter(triggerer_id=me).values_list("id", flat=True))
        self._stop_others(self.lanes.running - ours)
        self._start(ours - self.lanes.running - self.rests.resting())
        self.presence.progressed()
        tend_in = self.lanes.tend()
        wait = min(seconds for seconds in (tend_in, self.rests.next_in(), self._beat_seconds) if seconds is not None)
        return Result(done=claimed, more=0 < most == claimed, next_in=wait)

    def release(self) -> None:
        """Give everything back at once, so that another triggerer need not wait for the leases to end."""
        Trigger.objects.filter(triggerer_id=self.presence.process_id).update(triggerer_id=None, lease_until=None)

    def _renew(self, me: UUID | None, now: datetime) -> None:
        if monotonic() - self._renewed_at >= self._beat_seconds and self.lanes.running:
            self._renewed_at = monotonic()
            Trigger.objects.filter(triggerer_id=me).update(lease_until=now + self._lease)
        if monotonic() - self._swept_at >= SWEEP_SECONDS and self.lanes.running:
            self._swept_at = monotonic()
            _without_waiter(Trigger.objects.filter(triggerer_id=me)).delete()

    def _claim(self, me: UUID | None, now: datetime, most: int) -> int:
        owners = Trigger.objects.exclude(triggerer_id=None).exclude(triggerer_id=me)
        gone = processes_gone(owner for owner in owners.values_list("triggerer_id", flat=True).distinct() if owner)
        free = Q(triggerer_id=None) | Q(lease_until__lt=now) & ~Q(triggerer_id=me) | Q(triggerer_id__in=gone)
        waited_for = Q(ti_id__isnull=False) | Q(callback__isnull=False) | Q(watcher__isnull=False)
        wanted = Trigger.objects.filter(free, self._queues, waited_for).order_by("id")
        if not wanted.exists():
            return 0
        with transaction.atomic():
            ids = list(wanted.select_for_update(skip_locked=True).values_list("id", flat=True)[:most])
            Trigger.objects.filter(id__in=ids).update(triggerer_id=me, lease_until=now + self._lease)
        fault_point("claim_triggers.after_commit")
        return len(ids)

    def _start(self, ids: Collection[int]) -> None:
        if not ids:
            return
        triggers = list(Trigger.objects.filter(id__in=ids).select_related("callback").order_by("id"))
        waiting = TaskInstance.objects.filter(state=TaskInstanceState.DEFERRED).in_bulk([t.ti_id for t in triggers if t.ti_id])
        for trigger in triggers:
            if trigger.watcher_id is not None:
                self.waits[trigger.pk] = wait_of_watcher(trigger)
                self._start_one(trigger)
                continue
            if trigger.callback is not None:
                self.waits[trigger.pk] = wait_of_callback(trigger, trigger.callback)
                self._start_one(trigger)
                continue
            row = waiting.get(trigger.ti_id) if trigger.ti_id else None
            if row is None or row.trigger_id != trigger.pk:
                trigger.delete()
                continue
            self.waits[trigger.pk] = wait_of(trigger, row)
            self._start_one(trigger)

    def _start_one(self, trigger: Trigger) -> None:
        """Start a trigger; whatever hinders that is the failure of its own task (I4)."""
        wait = self.waits[trigger.pk]
        try:
            message = wait.start_message(kwargs_of(trigger))
        except DatabaseError:
            raise
        except Exception as error:
            log.exception("trigger %d cannot start", trigger.pk)
            self.lanes.fail(wait.start_message("{}"), traceback.format_exception(error))
            return
        self.lanes.start(message)

    def _stop_others(self, ids: set[int]) -> None:
        if not ids:
            return
        moved = set(Trigger.objects.filter(id__in=ids).values_list("id", flat=True))
        attempts = {self.waits[trigger_id].ti_id for trigger_id in ids if trigger_id in self.waits}
        failed = set(TaskInstance.objects.filter(id__in=attempts, next_method=FAIL_METHOD).values_list("id", flat=True))
        for trigger_id in ids:
            wait = self.waits.pop(trigger_id, None)
            expired = wait is not None and wait.ti_id in failed
            reason = "moved" if trigger_id in moved else "expired" if expired else "cancelled"
            log.info("trigger %d is stopped: %s", trigger_id, reason)
            self.lanes.stop(trigger_id, reason)


def _without_waiter(triggers: QuerySet[Trigger]) -> QuerySet[Trigger]:
    """Those whose attempt is gone or waits no more; deleting them stops them."""
    waiting = TaskInstance.objects.filter(pk=OuterRef("ti_id"), trigger_id=OuterRef("pk"), state=TaskInstanceState.DEFERRED)
    return triggers.filter(~Exists(waiting), ti_id__isnull=False)
