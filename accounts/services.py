"""Decides what the audit log keeps."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from accounts import acting
from accounts.models import AuditLog
from orchestrator.sdk.execution.masking import MASK, is_sensitive_name


def audit_write(event: str, *, actor: str | None, extra: Mapping[str, Any] | None = None, **fields: Any) -> AuditLog:
    """Write what was done in the caller's transaction, see ``audit_row``."""
    row = audit_row(event, actor=actor, extra=extra, **fields)
    row.save()
    return row


def audit_write_all(rows: Iterable[AuditLog]) -> None:
    """Write rows of ``audit_row`` together."""
    AuditLog.objects.bulk_create(rows)


def audit_row(event: str, *, actor: str | None, extra: Mapping[str, Any] | None = None, **fields: Any) -> AuditLog:
    """Return the row for what was done; values under secret-looking names are masked.

    Args:
        event: Airflow's name of the action, such as ``trigger_dag_run``.
        actor: user name, None for the platform itself.
        extra: the request as it was asked for.
        fields: columns of ``AuditLog``: dag_id, run_id, task_id, map_index, try_number, before, after, reason.
    """
    text = json.dumps(masked(extra), default=str) if extra is not None else None
    before, after = masked(fields.pop("before", None)), masked(fields.pop("after", None))
    known = acting.facts()
    reason = known.reason or str((extra or {}).get("note") or "")[: acting.LONGEST_REASON]
    about = {"request_id": known.request_id, "reason": reason, "token_name": known.token_name}
    return AuditLog(event=event[:60], owner=actor, extra=text, before=before, after=after, **{**about, **fields})


def masked(value: Any) -> Any:
    """Return the JSON value with everything under a secret-looking name replaced."""
    if isinstance(value, Mapping):
        return {key: MASK if is_sensitive_name(key) else masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list | tuple) else value
