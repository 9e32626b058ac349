"""Decides when a task has waited too long for a person; the only place that looks at ``HITLDetail.expires_at``."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs.models import HITLDetail

log = logging.getLogger(__name__)


class ExpireInputs:
    """Answers overdue questions by their defaults; without defaults the task goes on with an error and fails by it.

    It needs no triggerer. One question per transaction, so that an answer by a person never waits for many others.
    """

    name = "expire_inputs"
    periodic = True

    def run_once(self, limit: int) -> Result:
        """Expire what is due; the next look is at the earliest time known, at the latest after the interval."""
        now = utcnow()
        waiting = HITLDetail.objects.filter(responded_at__isnull=True, expires_at__isnull=False)
        found = list(waiting.order_by("expires_at").values_list("ti_id", "expires_at")[: limit + 1])
        due = [ti_id for ti_id, at in found if at is not None and at <= now]
        done = sum(_expire(ti_id, now) for ti_id in due)
        later = [at for _, at in found if at is not None and at > now]
        interval = float(conf.get("scheduler", "trigger_timeout_check_interval"))
        wait = min(interval, (later[0] - now).total_seconds()) if later else interval
        return Result(done=done, more=bool(done), next_in=wait)


def _expire(ti_id: UUID, now: datetime) -> bool:
    """Expire one question; an error on it is logged and stops no other (I4)."""
    from runs.hitl.services import question_expire

    try:
        with transaction.atomic():
            question_expire(ti_id, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("the question of attempt %s cannot expire; it is looked at again", ti_id)
        return False
    return True
