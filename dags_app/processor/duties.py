"""Decides the rounds of the DAG processor: look for changes, parse and store."""

from __future__ import annotations

from collections.abc import Callable

from dags_app.processor.processor import Processor
from dags_app.processor.watch import FileWatch
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.service import Result

PARSING_POLL_SECONDS = 5.0
LANE_POLL_SECONDS = 0.25


class LookDuty:
    """Scans the bundles when the system reports a change, when a file is asked for, and every few seconds."""

    name = "look"

    def __init__(self, processor: Processor, watch: FileWatch, interval_seconds: float, is_woken: Callable[[], bool]) -> None:
        self._processor, self._watch, self._interval, self._is_woken = processor, watch, interval_seconds, is_woken
        self._due_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Queue what has changed; between two due times only a reported change or a request makes it look."""
        now = monotonic()
        if now < self._due_at and not self._watch.changed and not self._is_woken():
            return Result(next_in=self._due_at - now)
        self._watch.changed = False
        queued = self._processor.look()
        self._due_at = monotonic() + self._interval
        return Result(done=queued, next_in=self._interval)


class ParseDuty:
    """Stores what parse processes answered and hands them more files."""

    name = "parse"

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    def run_once(self, limit: int) -> Result:
        """Take answers, then fill the free places."""
        done = self._processor.take() + self._processor.submit()
        self._processor.client.close_if_idle()
        # A place becomes free as soon as a file turns out to be slow, without an answer that would wake the loop.
        waits = LANE_POLL_SECONDS if self._processor.queue else PARSING_POLL_SECONDS
        return Result(done=done, next_in=waits)
