"""Decides which events belong to a task instance: of assets that it made, of people, and changes of its state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import AuditLog
from runs.api.asset_queries import attach_to_events
from runs.models import AssetEvent, AttemptFields, StateChange

MOST = 200


@dataclass(frozen=True, slots=True)
class Audited:
    """One action and what it was about, as text."""

    row: AuditLog
    extra: str


def asset_events_of(ti: AttemptFields) -> list[AssetEvent]:
    """Return the events, newest first, each with the runs that it made."""
    made = AssetEvent.objects.filter(source_dag_id=ti.dag_id, source_run_id=ti.run_id, source_task_id=ti.task_id)
    found = list(made.filter(source_map_index=ti.map_index).select_related("asset").order_by("-timestamp", "-id")[:MOST])
    attach_to_events(found)
    for event in found:
        event.shown_extra = json.dumps(event.extra, ensure_ascii=False) if event.extra else ""  # type: ignore[attr-defined]
    return found


def audit_of(ti: AttemptFields) -> list[Audited]:
    """Return what people did to the task instance, and to its task as a whole, newest first."""
    rows = AuditLog.objects.filter(dag_id=ti.dag_id, run_id=ti.run_id, task_id=ti.task_id)
    rows = rows.filter(Q(map_index=None) | Q(map_index__in=[-1, ti.map_index]))
    return [Audited(row, _short(row.extra)) for row in rows.order_by("-id")[:MOST]]


def changes_of(ti: AttemptFields) -> list[StateChange]:
    """Return the changes of its state, newest first."""
    rows = StateChange.objects.filter(dag_run_id=ti.dag_run_id, task_id=ti.task_id, map_index=ti.map_index)
    return list(rows.order_by("-id")[:MOST])


def _short(extra: Any) -> str:
    text = str(extra or "")
    return text if len(text) <= 500 else f"{text[:500]}…"
