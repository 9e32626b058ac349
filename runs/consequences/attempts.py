"""Decides which deliveries follow the end of an attempt: what its own process cannot do any more, alerts and e-mails.

A task process calls the author's callbacks itself. Where it is gone, or never was, a row is written here, in the
transaction of the change: exactly one per attempt and callback, by its key (C09-a). Built-in notifiers and e-mails are
rows in any case, so that they can be grouped, muted, repeated and shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.serialization.spec import TaskSpec
from runs.callbacks.kinds import Kind
from runs.callbacks.services import NewDelivery, deliveries_create
from runs.consequences.documents import attempt_document, run_document
from runs.models import DagRun
from runs.states import TaskInstanceState as S
from runs.task_specs import tasks_of

if TYPE_CHECKING:
    from runs.changes import Moved

# What a report leaves to the server: nothing, alerts only, or the author's callbacks as well.
NOTHING, ALERTS, CALLBACKS = "", "alerts", "callbacks"

EVENTS: dict[str | None, str] = {
    S.SUCCESS: "on_success_callback",
    S.FAILED: "on_failure_callback",
    S.UP_FOR_RETRY: "on_retry_callback",
    S.SKIPPED: "on_skipped_callback",
}


def after_attempts(moved: Sequence[Moved], *, now: datetime) -> None:
    """Write what follows these ends; costs nothing where no report left anything."""
    left = [item for item in moved if item.leaves and item.to_state in EVENTS]
    if not left:
        return
    runs = DagRun.objects.in_bulk({item.row.dag_run_id for item in left})
    tasks = tasks_of(item.row for item in left)
    rows: list[NewDelivery] = []
    for item in left:
        task = tasks.get((item.row.dag_version_id, item.row.task_id))
        if task is not None:
            rows += _of_attempt(item, task, runs[item.row.dag_run_id], now)
    deliveries_create(rows, now=now)


def _of_attempt(item: Moved, task: TaskSpec, run: DagRun, now: datetime) -> Iterable[NewDelivery]:
    event = EVENTS[item.to_state]
    alerts = (task.alerts or {}).get(event) or {}
    wants_callback = item.leaves == CALLBACKS and getattr(task, f"has_on_{event[3:]}") and not alerts.get("only")
    letters = _letter(item, task)
    if not wants_callback and not alerts and not letters:
        return
    payload = _payload(item, event, run, now)
    key = f"{event}:{item.row.id}"
    if wants_callback:
        place = {"queue": item.row.queue, "executor": item.row.executor}  # where the code of the DAG can run
        skip = [alert["index"] for alert in alerts.get("items", [])]
        yield _delivery(item, Kind.TASK, key, {**payload, **place, "skip": skip})
    for alert in alerts.get("items", []):
        said = {**payload, "path": alert["path"], "kwargs": alert["kwargs"]}
        yield _delivery(item, Kind.NOTIFIER, f"{key}:{alert['index']}", said, group_of(item.row.dag_run_id, event, alert))
    if letters:
        group = group_of(item.row.dag_run_id, event, letters)
        yield _delivery(item, Kind.EMAIL, f"email:{key}", {**payload, **letters}, group)


def _payload(item: Moved, event: str, run: DagRun, now: datetime) -> dict[str, Any]:
    return {
        "event": event,
        "ti": {**attempt_document(item.row, item.to_state), "end_date": now.isoformat()},
        "dag_run": run_document(run),
        "cause": item.cause,
        "exception": item.detail or item.cause or None,
        "reason": item.detail or item.cause,
    }


def _letter(item: Moved, task: TaskSpec) -> dict[str, Any]:
    """Return whom to write to, as ``email``, ``email_on_failure`` and ``email_on_retry`` of the task say."""
    asked = (item.to_state == S.FAILED and task.email_on_failure) or (item.to_state == S.UP_FOR_RETRY and task.email_on_retry)
    return {"to": task.email} if task.email and asked else {}


def group_of(run_pk: int, event: str, channel: dict[str, Any]) -> str:
    """Return the key of the alerts of one run, event and channel: what comes together goes out as one message (C09-e)."""
    said = {name: value for name, value in channel.items() if name != "index"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:32]
    return f"{run_pk}:{event}:{digest}"


def _delivery(item: Moved, kind: Kind, key: str, payload: dict[str, Any], group: str = "") -> NewDelivery:
    return NewDelivery(kind, item.row.dag_id, item.row.dag_run_id, payload, key[:250], ti_id=item.row.id, group_key=group)
