"""Decides how tests let several connections act at the same time: threads that start together, each with its own connection."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection, connections, transaction

T = TypeVar("T")
LONG_SECONDS = 240  # more than a busy machine needs, less than a test may take


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Run each act in a thread and a transaction of its own, all begun together; returns their results in order."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait(LONG_SECONDS)
            with transaction.atomic():
                return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(LONG_SECONDS) for future in [pool.submit(run, act) for act in acts]]


def deadlocks() -> int:
    """Number of deadlocks that PostgreSQL has broken in this database; 0 on SQLite, which has one writer."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
