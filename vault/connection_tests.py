"""Decides the life of a connection test: ordered, handed to a worker once, ended once."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.services import audit_write
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.execution.masking import SecretsMasker
from vault.models import Connection, ConnectionTest
from vault.models.connection_test import ACTIVE
from vault.services import connection_set
from vault.shown import kept_extra

PARTS = ("conn_type", "host", "login", "password", "schema", "port", "extra")
MOST_CHARACTERS = 2000
GRACE_SECONDS = 15  # for a worker to report by itself before the server says that the time is over


class TestRefusedError(Exception):
    """A test cannot be ordered, fetched or ended now; ``reason`` is ``active``, ``missing`` or ``state``."""

    __test__ = False

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def is_enabled() -> bool:
    """Return whether ``[core] test_connection`` allows tests."""
    return bool(conf.get("core", "test_connection") == "Enabled")


def test_order(connection_id: str, parts: dict[str, Any], *, actor: str, **more: Any) -> ConnectionTest:
    """Order a test inside the caller's transaction; raises ``TestRefusedError`` where one is under way.

    Args:
        connection_id: the connection that it is about; it need not exist.
        parts: what is tested, by the names of ``PARTS``.
        actor: who orders it.
        more: commit_on_success, executor, queue.
    """
    if ConnectionTest.objects.filter(connection_id=connection_id, state__in=ACTIVE).exists():
        raise TestRefusedError("active", f"An active connection test already exists for connection_id `{connection_id}`.")
    now = utcnow()
    row = ConnectionTest(connection_id=connection_id, ordered_by=actor, created_at=now, updated_at=now, **more)
    row.parts = json.dumps(parts)
    row.save()
    audit_write("enqueue_connection_test", actor=actor, extra={"connection_id": connection_id, "conn_type": parts["conn_type"]})
    return row


def test_fetch(test_id: UUID) -> dict[str, Any]:
    """Return the parts, once, and note that the test runs; raises ``TestRefusedError``."""
    row = _row(test_id)
    taken = ConnectionTest.objects.filter(pk=row.pk, state__in=("pending", "queued")).update(state="running", updated_at=utcnow())
    if not taken:
        message = (
            f"Connection test {test_id} is in state {row.state}; its parts can be fetched once, while it is pending or queued."
        )
        raise TestRefusedError("state", message)
    return {"conn_id": row.connection_id, **json.loads(row.get_parts() or "{}")}


def test_end(test_id: UUID, state: str, message: str | None) -> None:
    """Take a worker's report: mask it, forget the secrets, and keep the connection where that was ordered.

    Raises ``TestRefusedError`` for a test that is over.
    """
    row = _row(test_id)
    if row.state not in ACTIVE:
        raise TestRefusedError("state", f"Connection test {test_id} is already in terminal state: {row.state}")
    parts = json.loads(row.get_parts() or "{}")
    if state == "success" and row.commit_on_success:
        connection_set(row.connection_id, **parts)
    over = {} if state in ACTIVE else {"parts": None, "is_encrypted": False}
    text = masked_message(parts, message)
    ConnectionTest.objects.filter(pk=row.pk).update(state=state, result_message=text, updated_at=utcnow(), **over)
    if over:
        audit_write("connection_test", actor=row.ordered_by, extra={"connection_id": row.connection_id, "result": state})


def tests_claim(number: int) -> list[UUID]:
    """Take pending tests for workers of this process; a test goes to one of many."""
    waiting = list(ConnectionTest.objects.filter(state="pending").order_by("created_at").values_list("pk", flat=True)[:number])
    return [
        pk for pk in waiting if ConnectionTest.objects.filter(pk=pk, state="pending").update(state="queued", updated_at=utcnow())
    ]


def tests_expire(now: datetime) -> dict[str, int]:
    """End tests that nobody reported about in time; returns how many by the state that they were in."""
    seconds = conf.get("connection_test", "timeout") + GRACE_SECONDS
    late = ConnectionTest.objects.filter(updated_at__lt=now - timedelta(seconds=seconds))
    over = {"state": "failed", "result_message": f"No result within {seconds} seconds.", "parts": None, "updated_at": now}
    return {state: number for state in ("queued", "running") if (number := late.filter(state=state).update(**over))}


def parts_for(connection_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what to test: the given parts, and stored secrets where none are given and the place is the same one."""
    row = Connection.objects.filter(conn_id=connection_id).first()
    parts = {name: given.get(name) for name in PARTS}
    if row is None or any(name in given and given[name] != getattr(row, name) for name in ("host", "port")):
        return parts
    stored = {name: getattr(row, name) for name in PARTS} | {"password": row.get_password(), "extra": row.get_extra()}
    kept = {name: stored[name] for name in PARTS if name not in given or given[name] in (None, "***")}
    parts["extra"] = kept_extra(row, parts["extra"])
    return {**parts, **kept}


def masked_message(parts: dict[str, Any], message: str | None) -> str | None:
    """Return the message without the secrets of the parts, and not longer than the API allows."""
    if message is None:
        return None
    masker = SecretsMasker()
    masker.add(parts.get("password") or "")
    try:
        masker.add(json.loads(parts.get("extra") or "{}"))
    except ValueError:
        masker.add(parts["extra"])
    return str(masker.mask(message))[:MOST_CHARACTERS]


def _row(test_id: UUID) -> ConnectionTest:
    row = ConnectionTest.objects.filter(pk=test_id).first()
    if row is None:
        raise TestRefusedError("missing", f"Connection test {test_id} not found")
    return row
