"""Decides when values of tasks whose time is over are deleted."""

from __future__ import annotations

from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs.stores import DELETED_AT_ONCE, task_values_expire

LOOK_SECONDS = 60.0


class ExpireValues:
    """Deletes expired values in short transactions; readers do not see them before that either."""

    name = "expire_values"
    periodic = True

    def run_once(self, limit: int) -> Result:
        """Delete some; the rest follows at once."""
        with transaction.atomic():
            gone = task_values_expire(utcnow())
        return Result(done=gone, more=gone == DELETED_AT_ONCE, next_in=LOOK_SECONDS)
