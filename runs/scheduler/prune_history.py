"""Decides when old history is deleted: by itself or by order, in a thread beside the scheduler's decisions (C18).

A transaction that deletes hundreds of rows takes longer than any decision: in the loop, what becomes ready meanwhile would
wait for it (benchmarks/README.md).
"""

from __future__ import annotations

import threading
from contextlib import suppress

from django.db import DatabaseError, connection

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.service import Result
from runs.housekeeping import LOOK_SECONDS, PRUNE_HISTORY, begun, ended, order_taken

FIRST_AFTER_SECONDS = 60.0
POLL_SECONDS = 1.0
STOP_SECONDS = 5.0


class PruneHistory:
    """Begins a round once per ``[retention] interval_seconds`` and watches it; what a crash leaves is found by the next."""

    name = "prune_history"
    periodic = True

    def __init__(self, first_after: float = FIRST_AFTER_SECONDS) -> None:
        self._due_at = monotonic() + first_after
        self._running: RoundThread | None = None

    def run_once(self, limit: int) -> Result:
        """Begin a round that is due or ordered, or look at the one that runs. Raises what ended it: it begins anew later."""
        if not conf.get("retention", "enabled"):
            self.close()
            return Result(next_in=LOOK_SECONDS)
        if self._running is not None:
            return self._look(self._running)
        if monotonic() < self._due_at and not order_taken(PRUNE_HISTORY):
            return self._rest()
        self._due_at = monotonic() + float(conf.get("retention", "interval_seconds"))
        begun(PRUNE_HISTORY)
        self._running = RoundThread()
        self._running.start()
        return Result(next_in=POLL_SECONDS)

    def _look(self, running: RoundThread) -> Result:
        is_over = not running.is_alive()
        done = running.take()
        if not is_over:
            return Result(done=done, next_in=POLL_SECONDS)
        self._running = None
        if running.error is not None:
            with suppress(DatabaseError):  # it may be the reason
                ended(PRUNE_HISTORY, f"{type(running.error).__name__}: {running.error}", has_failed=True)
            self._due_at = monotonic()
            raise running.error
        ended(PRUNE_HISTORY, running.told)
        return self._rest(done)

    def _rest(self, done: int = 0) -> Result:
        return Result(done=done, next_in=min(LOOK_SECONDS, max(0.0, self._due_at - monotonic())))

    def close(self) -> None:
        """Let the step under way end and begin no other."""
        if self._running is not None:
            self._running.stop()
            self._running = None
            with suppress(DatabaseError):
                ended(PRUNE_HISTORY, "Stopped before its end; the next round goes on.")


class RoundThread(threading.Thread):
    """One round in a thread with a database connection of its own; a daemon, since a step that is cut off is rolled back."""

    def __init__(self) -> None:
        super().__init__(name="retention", daemon=True)
        self.error: Exception | None = None
        self.told = ""
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._done = 0

    def run(self) -> None:
        """Go through the history until it is done, fails or is stopped."""
        try:
            self._run()
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def _run(self) -> None:
        from runs.retention.round import Round, pause_seconds  # memory that nobody pays before the first round

        going = Round()
        while (done := going.step()) is not None:
            with self._lock:
                self._done += done
            if self._stopped.wait(pause_seconds()):
                return
        self.told = going.tell()

    def take(self) -> int:
        """Return how many rows went since the last call."""
        with self._lock:
            done, self._done = self._done, 0
        return done

    def stop(self) -> None:
        """Ask it to stop and wait a little."""
        self._stopped.set()
        self.join(STOP_SECONDS)
