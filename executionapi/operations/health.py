"""Decides what says that the Execution API is up; it asks nobody, so it answers while the database is away."""

from __future__ import annotations

from typing import Final

from executionapi.calls import Call, Operation, one_by_one
from executionapi.replies import Reply


def health(call: Call) -> Reply:
    """Up."""
    return Reply(200, {"status": "healthy"})


def ping(call: Call) -> Reply:
    """Up, in the words of a service registry."""
    return Reply(200, {"ok": ["tokens"], "failing": {}})


OPERATIONS: Final = (
    Operation("GET", "health", one_by_one(health), public=True),
    Operation("GET", "health/ping", one_by_one(ping), public=True),
)
