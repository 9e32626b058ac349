"""Decides how a unit of work meets the database: one transaction, repeated after a deadlock, and one bad item never fails others.

``OperationalError`` means that the database is away or busy: the answer is 503, which tells a worker to keep its lease.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from executionapi.calls import Call, Work
from executionapi.replies import RefusalError, Reply
from orchestrator.kernel.backoff import delay
from orchestrator.kernel.faults import fault_point

log = logging.getLogger(__name__)

T = TypeVar("T")
MOST_TRIES: Final = 4
AWAY = (OperationalError, InterfaceError)


def in_unit(work: Callable[[], T], *, writes: bool) -> T:
    """Run ``work``, in a transaction where it ``writes``, again after a deadlock, a lock or a lost connection (C12-d).

    Raises what the last try raised.
    """
    if connection.in_atomic_block:
        return _once(work, writes=writes)
    for attempt in range(1, MOST_TRIES):
        try:
            return _once(work, writes=writes)
        except AWAY as error:
            connection.close()
            log.info("The database refused a unit of work, trying again: %s", str(error).strip())
            threading.Event().wait(delay(attempt, base=0.05, cap=1.0, jitter=0.5))
    return _once(work, writes=writes)


def _once(work: Callable[[], T], *, writes: bool) -> T:
    if not writes:
        return work()
    with transaction.atomic():
        done = work()
        fault_point("api.before_commit")
    fault_point("api.after_commit")
    return done


def answer_all(work: Work, calls: list[Call], *, writes: bool) -> list[Reply]:
    """Answer ``calls`` together; where that fails, each alone, so that only the bad one gets an error (invariant I4)."""
    try:
        return in_unit(lambda: work(calls), writes=writes)
    except AWAY as error:
        return [database_unavailable(error) for _ in calls]
    except Exception as error:
        if len(calls) == 1:
            return [_reply_for(error)]
        log.warning("A batch of %d failed and is taken apart: %s", len(calls), error)
        return [answer_all(work, [call], writes=writes)[0] for call in calls]


def database_unavailable(error: Exception) -> Reply:
    """503, and the broken connection is dropped."""
    log.warning("The database is not available: %s", str(error).strip())
    if not connection.in_atomic_block:
        connection.close()
    return Reply(503, {"detail": {"reason": "database_unavailable", "message": "The database does not answer; try again."}})


def _reply_for(error: Exception) -> Reply:
    if isinstance(error, RefusalError):
        return error.reply
    if isinstance(error, IntegrityError):
        return _refused_by_database(409, "Unique constraint violation", error)
    # psycopg refuses a NUL character with ValueError before PostgreSQL sees it.
    if isinstance(error, DataError) or (isinstance(error, ValueError) and "NUL" in str(error)):
        return _refused_by_database(422, "Value rejected by database", error)
    if isinstance(error, DatabaseError):
        log.error("The database refused a request", exc_info=error)
        return _refused_by_database(500, "Database error", error)
    log.error("A request failed", exc_info=error)
    return Reply(500, {"message": "Internal server error"})


def _refused_by_database(status: int, reason: str, error: Exception) -> Reply:
    log.info("%s: %s", reason, str(error).strip())
    return Reply(
        status, {"detail": {"reason": reason, "message": f"The database does not take this value: {str(error).strip()}"}}
    )
