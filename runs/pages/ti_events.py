"""Decides which events belong to a task instance: of assets that it made, and changes of its state."""

from __future__ import annotations

import json

from runs.api.asset_queries import attach_to_events
from runs.models import AssetEvent, AttemptFields, StateChange

MOST = 200


def asset_events_of(ti: AttemptFields) -> list[AssetEvent]:
    """Return the events, newest first, each with the runs that it made."""
    made = AssetEvent.objects.filter(source_dag_id=ti.dag_id, source_run_id=ti.run_id, source_task_id=ti.task_id)
    found = list(made.filter(source_map_index=ti.map_index).select_related("asset").order_by("-timestamp", "-id")[:MOST])
    attach_to_events(found)
    for event in found:
        event.shown_extra = json.dumps(event.extra, ensure_ascii=False) if event.extra else ""  # type: ignore[attr-defined]
    return found


def changes_of(ti: AttemptFields) -> list[StateChange]:
    """Return the changes of its state, newest first."""
    rows = StateChange.objects.filter(dag_run_id=ti.dag_run_id, task_id=ti.task_id, map_index=ti.map_index)
    return list(rows.order_by("-id")[:MOST])
