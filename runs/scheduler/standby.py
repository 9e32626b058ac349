"""Decides that on SQLite, which has one writer, a second scheduler waits until the first has gone."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from orchestrator.database import is_sqlite, refresh_connection
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_alive, processes_gone

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0


def wait_for_turn() -> bool:
    """Return True when this scheduler may work, False where it was told to stop while it waited."""
    if not is_sqlite() or _other() is None:
        return True
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while (other := _other()) is not None:
            log.info("hot standby: scheduler %s works on this SQLite database; waiting until it is gone", other)
            if stop.wait(LOOK_EVERY_SECONDS):
                return False
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return True


def _other() -> Process | None:
    refresh_connection()
    alive = list(processes_alive("scheduler", utcnow()))
    gone = processes_gone(process.pk for process in alive)
    return next((process for process in alive if process.pk not in gone), None)
