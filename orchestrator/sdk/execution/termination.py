"""Decides what SIGTERM does in a task process: ``on_kill`` once, then the attempt ends as failed with that cause."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from orchestrator.sdk.exceptions import AirflowTaskTerminated

log = logging.getLogger("airflow.task")


class Termination:
    """Handles SIGTERM while it is entered; ``received`` is the signal's number after it came."""

    def __init__(self, task_of: Callable[[], Any]) -> None:
        self._task_of = task_of
        self._pid = os.getpid()
        self._previous: Any = None
        self.received: int | None = None

    def __enter__(self) -> Termination:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a child that the task forked has this handler too, and nothing to report
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if self.received is not None:
            return
        self.received = number
        log.error("Received SIGTERM. Terminating subprocesses.")
        began = time.monotonic()
        try:
            self._task_of().on_kill()
        except Exception:
            log.exception("on_kill failed after %.1f s", time.monotonic() - began)
        else:
            log.info("on_kill ended after %.1f s", time.monotonic() - began)
        raise AirflowTaskTerminated("Task received SIGTERM signal")
