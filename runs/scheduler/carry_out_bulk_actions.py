"""Decides when bulk actions go on: one short step per round, so that an order for a million items delays no task (C13-b)."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import connection, transaction

from orchestrator.database import is_sqlite
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs.models import BulkAction

log = logging.getLogger(__name__)

# With nothing open, the one query that finds this out is made this often.
LOOK_EVERY_SECONDS = 1.0


class CarryOutBulkActions:
    """Takes the action that waited longest one step further.

    Several schedulers share the work: whoever locks the row of an action has it for one transaction, and others pass it
    over. A death in between undoes the step, which the next one finds as it was.
    """

    name = "carry_out_bulk_actions"
    poll_seconds = 5.0

    def __init__(self) -> None:
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Do one step of one action, or nothing."""
        wait = self._look_at - monotonic()
        if wait > 0:
            return Result(next_in=wait)
        now = utcnow()
        if not BulkAction.objects.filter(state__in=("queued", "running")).exists():
            self._look_at = monotonic() + LOOK_EVERY_SECONDS
            return Result()
        begun = monotonic()
        stepped, done = self._step(now)
        # SQLite has one writer: the others get as much time as the step took.
        pause = (monotonic() - begun if is_sqlite() else 0.0) if stepped else LOOK_EVERY_SECONDS
        self._look_at = monotonic() + pause
        return Result(done=done, more=not pause, next_in=pause)

    def _step(self, now: datetime) -> tuple[bool, int]:
        # Loaded with the first action: most schedulers never see one.
        from runs.bulk import services

        taken: int | None = None
        done = 0
        try:
            with transaction.atomic():
                free = services.open_actions(now)
                action = free.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked).first()
                if action is None:
                    return False, 0
                taken = action.pk
                access = services.bulk_begin(action, now)
                if access is not None and action.is_frozen:
                    done = services.bulk_step(action, access, now)
            if access is not None and not action.is_frozen:
                page = services.bulk_look(action, access)
                with transaction.atomic():
                    services.bulk_freeze(action, page, now)
        except Exception as error:
            if taken is None:
                raise
            log.exception("bulk action %s is set aside", taken)
            with transaction.atomic():
                services.bulk_set_aside(taken, error, now=now)
            return True, 0
        fault_point("bulk.after_commit")
        if not action.is_open:
            log.info("%s: %s, %d of %d changed, %d failed", action, action.state, action.changed, action.total, action.failed)
        return True, done
