"""Decides what the audit log keeps."""

import json
from collections.abc import Mapping
from typing import Any

from accounts.models import AuditLog

_MASK = "***"
_SECRET_WORDS = ("password", "passwd", "secret", "token", "private_key", "api_key", "apikey", "access_key", "authorization")


def audit_write(event: str, *, actor: str | None, extra: Mapping[str, Any] | None = None, **fields: Any) -> AuditLog:
    """Write what was done in the caller's transaction; values under secret-looking names are masked.

    Args:
        event: Airflow's name of the action, such as ``trigger_dag_run``.
        actor: user name, None for the platform itself.
        extra: the request as it was asked for.
        fields: columns of ``AuditLog``: dag_id, run_id, task_id, map_index, try_number, before, after, request_id.
    """
    text = json.dumps(masked(extra), default=str) if extra is not None else None
    before, after = masked(fields.pop("before", None)), masked(fields.pop("after", None))
    return AuditLog.objects.create(event=event[:60], owner=actor, extra=text, before=before, after=after, **fields)


def masked(value: Any) -> Any:
    """Return the JSON value with everything under a secret-looking name replaced."""
    if isinstance(value, Mapping):
        return {key: _MASK if _is_secret(str(key)) else masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list | tuple) else value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)
