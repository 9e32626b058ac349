"""Decides that deadlines whose moment has come are looked at, each once whatever the number of schedulers."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs.deadlines.misses import deadline_look
from runs.models import Deadline

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS = 0.2  # wake-ups of a busy scheduler come by the hundred a second


class ExpireDeadlines:
    """Looks at due deadlines; one query where none is due."""

    name = "expire_deadlines"

    def __init__(self) -> None:
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Look at what is due; a deadline that fails hinders no other (I4)."""
        wait = self._look_at - monotonic()
        if wait > 0:
            return Result(next_in=wait)
        self._look_at = monotonic() + SHORTEST_PAUSE_SECONDS
        now = utcnow()
        pending = Deadline.objects.filter(state=Deadline.State.PENDING).order_by("deadline_time")
        found = list(pending.values_list("pk", "deadline_time")[: limit + 1])
        due = [pk for pk, at in found if at <= now]
        missed = sum(self._look(pk, now) for pk in due)
        later = [at for _, at in found if at > now]
        pause = min(LONGEST_PAUSE_SECONDS, (later[0] - now).total_seconds()) if later else LONGEST_PAUSE_SECONDS
        return Result(done=missed, more=len(due) > limit, next_in=max(pause, SHORTEST_PAUSE_SECONDS))

    def _look(self, pk: UUID, now: datetime) -> int:
        try:
            with transaction.atomic():
                rows = Deadline.objects.filter(pk=pk, state=Deadline.State.PENDING)
                no_key = connection.features.has_select_for_no_key_update
                row = rows.select_for_update(skip_locked=True, no_key=no_key).first()
                missed = row is not None and deadline_look(row, now=now)
                fault_point("deadline.before_commit")
        except Exception:
            log.exception("deadline %s cannot be looked at", pk)
            return 0
        fault_point("deadline.after_commit")
        return int(missed)
