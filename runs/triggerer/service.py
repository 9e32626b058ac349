"""Decides what the triggerer does in one round. No task can defer yet, so it has no trigger to run and says so."""

from __future__ import annotations

import logging

from orchestrator.config import conf
from orchestrator.database import refresh_connection, wakeup_for
from orchestrator.kernel.service import Result, Service
from orchestrator.processes.presence import Presence
from runs.models import Trigger

log = logging.getLogger(__name__)

TOPIC = "triggerer"


class CountTriggers:
    """Reports how many triggers wait for a triggerer."""

    name = "count_triggers"
    periodic = True

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._last: int | None = None

    def run_once(self, limit: int) -> Result:
        """Count the rows and log the number where it changed."""
        number = Trigger.objects.count()
        if number != self._last:
            log.info("%d triggers", number)
        self._last = number
        self._presence.progressed()
        return Result(next_in=self._interval())

    def _interval(self) -> float:
        return float(conf.get("triggerer", "job_heartbeat_sec"))


def build_service() -> Service:
    """The triggerer with its heartbeat; it stops when it cannot renew it."""
    presence = Presence("triggerer", lambda: service.stop(), float(conf.get("triggerer", "job_heartbeat_sec")))
    service = Service(
        "triggerer",
        [CountTriggers(presence)],
        wakeup_for(TOPIC),
        poll_seconds=60.0,
        on_start=presence.start,
        on_stop=presence.stop,
        on_wake=refresh_connection,
        is_trusted=presence.is_trusted,
    )
    return service
