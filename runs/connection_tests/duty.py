"""Decides when the scheduler starts, ends and gives up tests of connections."""

from __future__ import annotations

import os
import signal
import subprocess
from uuid import UUID

from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.service import Result
from orchestrator.kernel.telemetry import count, stopwatch, timing
from runs.connection_tests.launch import start
from vault.connection_tests import TestRefusedError, is_enabled, test_end, tests_claim, tests_expire

LOOK_SECONDS = 30.0
RUNNING_SECONDS = 0.5


class RunConnectionTests:
    """Keeps a few test processes; without ``[core] test_connection = Enabled`` it asks the database nothing."""

    name = "run_connection_tests"
    periodic = True

    def __init__(self) -> None:
        self._running: dict[UUID, tuple[subprocess.Popen[bytes], float]] = {}

    def run_once(self, limit: int) -> Result:
        """Look at the running ones, then start waiting ones."""
        if not is_enabled():
            return Result()
        done = self._look()
        with transaction.atomic():
            reaped = tests_expire(utcnow())
        for state, number in reaped.items():
            count("connection_test.reaped", number, prior_state=state)
            done += number
        free = conf.get("connection_test", "max_concurrency") - len(self._running)
        with stopwatch("connection_test.dispatch_duration"):
            started = self._start(min(free, limit))
        return Result(done=done + started, next_in=RUNNING_SECONDS if self._running else LOOK_SECONDS)

    def _start(self, free: int) -> int:
        with transaction.atomic():
            claimed = tests_claim(free) if free > 0 else []
        for test_id in claimed:
            self._running[test_id] = (start(test_id), monotonic() + conf.get("connection_test", "timeout"))
        return len(claimed)

    def _look(self) -> int:
        ended = 0
        for test_id, (process, limit) in list(self._running.items()):
            if process.poll() is None and monotonic() < limit:
                continue
            late = process.poll() is None
            if late:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            del self._running[test_id]
            ended += 1
            seconds = conf.get("connection_test", "timeout")
            timing("connection_test.hook_duration", monotonic() - limit + seconds)
            reason = (
                f"The test took longer than {seconds} seconds" if late else f"The worker ended with code {process.returncode}"
            )
            if late or process.returncode:
                _fail(test_id, f"{reason}.")
        return ended


def _fail(test_id: UUID, message: str) -> None:
    try:
        with transaction.atomic():
            test_end(test_id, "failed", message)
    except TestRefusedError:
        pass  # it reported before it ended
