"""Decides what is written down when attempts read secrets: who, which and when, never the value (C29-e)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts.models import AuditLog
from executionapi.calls import Call
from executionapi.replies import Reply
from orchestrator.config import conf
from runs.models import TaskInstance

_COLUMNS = ("dag_run__dag_id", "dag_run__run_id", "task_id", "map_index", "try_number")


def note_reads(event: str, names: Sequence[str], calls: Sequence[Call], replies: Sequence[Reply]) -> None:
    """Write one row for each secret that was given out, all with one insert; nothing where ``[secrets] audit_reads`` is off."""
    given = [(name, call.subject) for name, call, reply in zip(names, calls, replies, strict=True) if reply.status == 200]
    if not given or not conf.get("secrets", "audit_reads"):
        return
    attempts = _attempts({subject for _, subject in given})
    AuditLog.objects.bulk_create(
        AuditLog(event=event, extra=_extra(name, subject), **attempts.get(subject, {})) for name, subject in given
    )


def _attempts(subjects: set[str]) -> dict[str, dict[str, Any]]:
    ids = [UUID(subject) for subject in subjects if _is_uuid(subject)]
    rows = TaskInstance.objects.filter(pk__in=ids).values("pk", *_COLUMNS)
    return {str(row.pop("pk")): {name.removeprefix("dag_run__"): value for name, value in row.items()} for row in rows}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _extra(name: str, subject: str) -> str:

    return json.dumps({"key": name, "attempt": subject})
