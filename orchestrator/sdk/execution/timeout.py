"""Decides how a task is stopped from inside when it runs longer than its ``execution_timeout``."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from orchestrator.sdk.exceptions import AirflowTaskTimeout


class TaskTimeout:
    """Raises ``AirflowTaskTimeout`` in the main thread after ``seconds``; None: never.

    The signal waits while C code does not return; the supervisor enforces the same limit from outside.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._previous: Any = None
        self._message = f"Timeout, PID: {os.getpid()}"

    def __enter__(self) -> TaskTimeout:
        if self._seconds is None:
            return self
        if self._seconds <= 0:
            raise AirflowTaskTimeout(self._message)
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGALRM, self._raise)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        raise AirflowTaskTimeout(self._message)


class timeout(TaskTimeout):
    """``with timeout(seconds=5, error_message="...")`` raises ``AirflowTaskTimeout`` when the block takes longer."""

    def __init__(self, seconds: float = 1, error_message: str = "Timeout") -> None:
        super().__init__(seconds)
        self._message = f"{error_message}, PID: {os.getpid()}"
