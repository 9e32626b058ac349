"""Decides how a service listens on PostgreSQL: one connection of its own, renewed with backoff, never relied upon."""

import logging
from collections.abc import Sequence
from typing import Any

from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.readiness import Descriptor, readable

log = logging.getLogger(__name__)

RECONNECT_BASE_SECONDS = 1.0
RECONNECT_CAP_SECONDS = 60.0


class PostgresWakeup:
    """LISTEN on ``topic``; while the database is away the wait is a plain sleep."""

    def __init__(self, dsn: str, topic: str) -> None:
        self._dsn = dsn
        self._topic = topic
        self._connection: Any = None
        self._failures = 0
        self._next_try = 0.0
        self.woken = False
        self._connect()

    def wait(self, timeout: float, fds: Sequence[Descriptor] = ()) -> list[Descriptor]:
        """See ``Wakeup``. A lost connection wakes at once, because notifications may have been missed."""
        self._connect()
        listening = self._connection
        if listening is None:
            self.woken = False
            return readable(timeout, fds)
        # What arrived while the last statement ran is already in memory, where poll does not see it.
        self.woken = self._drain()
        if self._connection is None:
            return readable(0, fds)
        ready = readable(0 if self.woken else timeout, [listening, *fds])
        if listening in ready:
            self.woken = self._drain() or self.woken
        return [fd for fd in ready if fd is not listening]

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        if self._connection is not None or monotonic() < self._next_try:
            return
        import psycopg
        from psycopg import sql

        try:
            self._connection = psycopg.connect(self._dsn, autocommit=True)
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._topic)))
            self._failures = 0
        except psycopg.Error as error:
            self._lose(error)

    def _drain(self) -> bool:
        """Read what arrived; True where there was any, or where the connection broke."""
        import psycopg

        try:
            return any(True for _ in list(self._connection.notifies(timeout=0)))
        except psycopg.Error as error:
            self._lose(error)
            return True

    def _lose(self, error: Exception) -> None:
        self.close()
        self._failures += 1
        pause = delay(self._failures, RECONNECT_BASE_SECONDS, RECONNECT_CAP_SECONDS, jitter=0.2)
        self._next_try = monotonic() + pause
        log.warning("No wake-ups from the database (%s); polling, next try in %.0f s", str(error).strip(), pause)
