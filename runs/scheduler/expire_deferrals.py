"""Decides when a deferred task has waited too long; the only place that looks at ``trigger_timeout``."""

from __future__ import annotations

from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs import transitions
from runs.models import TaskInstance
from runs.resumptions import TRIGGER_TIMEOUT, Resumption
from runs.states import TaskInstanceState


class ExpireDeferrals:
    """Resumes overdue waits as failed: a worker runs the failure path, with the author's retries and callbacks.

    An event that came before has cleared the timeout, so the time that a task waits for its slot does not count (C15-d).
    """

    name = "expire_deferrals"
    periodic = True

    def run_once(self, limit: int) -> Result:
        """Expire what is due; the next look is at the earliest timeout known, at the latest after the interval."""
        now = utcnow()
        waiting = TaskInstance.objects.filter(state=TaskInstanceState.DEFERRED, trigger_timeout__isnull=False)
        rows = waiting.order_by("trigger_timeout").values_list("id", "trigger_id", "trigger_timeout")[: limit + 1]
        found = [(ti_id, trigger_id, at) for ti_id, trigger_id, at in rows if at is not None]
        due = [Resumption(ti_id, trigger_id, failure=TRIGGER_TIMEOUT) for ti_id, trigger_id, at in found if at <= now]
        if due:
            with transaction.atomic():
                transitions.resume(due, now=now)
        later = [at for _, _, at in found if at > now]
        interval = float(conf.get("scheduler", "trigger_timeout_check_interval"))
        wait = min(interval, (later[0] - now).total_seconds()) if later else interval
        return Result(done=len(due), more=bool(due), next_in=wait)
