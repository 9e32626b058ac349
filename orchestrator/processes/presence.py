"""Decides how a part keeps its process row alive while it runs, and that it stops when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.heartbeat import Heartbeat, HeartbeatLostError
from orchestrator.processes.services import process_beat, process_end, process_register

# A progress report older than this many heartbeats is none.
PROGRESS_BEATS = 2


class Presence:
    """The row of this process with its heartbeat: ``start`` first, ``stop`` last, ``progressed`` at each finished round.

    Others take over after ``[scheduler] scheduler_health_check_threshold`` seconds; trust ends at two thirds of that.
    ``on_lost`` is called in the heartbeat's thread.
    """

    def __init__(self, kind: str, on_lost: Callable[[], Any], interval_seconds: float | None = None) -> None:
        self.kind = kind
        self.process_id: UUID | None = None
        self._progress_at = 0.0
        self._interval = interval_seconds or float(conf.get("scheduler", "job_heartbeat_sec"))
        threshold = float(conf.get("scheduler", "scheduler_health_check_threshold"))
        self._heartbeat = Heartbeat(self._beat, self._interval, max(threshold * 2 / 3, self._interval * 2), on_lost, kind)

    def start(self, detail: dict[str, Any] | None = None) -> UUID:
        """Register and begin to beat; returns the id of the row. Errors of the database are raised."""
        process = process_register(self.kind, detail=detail)
        self.process_id = process.pk
        self.progressed()
        self._heartbeat.start()
        return process.pk

    def progressed(self) -> None:
        """Note that a round of work was finished; the next heartbeat writes it."""
        self._progress_at = monotonic()

    def is_trusted(self) -> bool:
        """True while no other process can have taken over."""
        return self._heartbeat.is_trusted()

    def stop(self) -> None:
        """End the heartbeat and the row."""
        self._heartbeat.stop()
        if self.process_id is not None:
            process_end(self.process_id)

    def _beat(self) -> None:
        if self.process_id is None:
            return
        progress = monotonic() - self._progress_at < PROGRESS_BEATS * self._interval
        try:
            alive = process_beat(self.process_id, progress=progress)
        finally:
            # This thread's connection is idle until the next beat, and a broken one must not be met again.
            connection.close()
        if not alive:
            raise HeartbeatLostError(f"the row of this {self.kind} is gone or ended")
