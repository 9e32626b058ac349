"""Decides what is written beside a change of state: the change itself and the news for the scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from orchestrator.database import notify_on_commit
from runs.consequences.attempts import after_attempts
from runs.consequences.run_ends import after_run
from runs.models import DagRun, RunEvent, StateChange, TaskInstance

SCHEDULER_TOPIC = "scheduler"
TRIGGERER_TOPIC = "triggerer"


@dataclass(frozen=True, slots=True)
class Moved:
    """A row that goes from the state as read (``row.state``) to another; ``event_id`` is its id after the change."""

    row: TaskInstance
    to_state: str | None
    cause: str = ""
    actor: str = ""
    event_id: UUID | None = None
    due_at: datetime | None = None
    revoked: bool = False  # a worker may still run the attempt and must stop
    leaves: str = ""  # what the attempt's own process did not do: see runs/consequences/attempts.py
    detail: str = ""  # what went wrong, for those who are told


def record(moved: Sequence[Moved], *, now: datetime) -> None:
    """Write one ``StateChange`` per locked row; call it before the rows are written, since it copies them as they are.

    One INSERT … SELECT per (state, cause, actor) copies the rows inside the database: the four changes of each attempt
    would otherwise be the dearest thing that is done for it.
    """
    groups: dict[tuple[str | None, str, str], list[UUID]] = {}
    for m in moved:
        groups.setdefault((m.to_state, m.cause, m.actor), []).append(m.row.id)
    for (to_state, cause, actor), ids in groups.items():
        _copy(ids, {"to_state": to_state, "cause": cause, "actor": actor, "at": now})
    after_attempts(moved, now=now)


_COPIED = {
    "dag_run": "dag_run",
    "ti_id": "id",
    "task_id": "task_id",
    "map_index": "map_index",
    "try_number": "try_number",
    "from_state": "state",
    "dispatch_id": "dispatch_id",
}


def _copy(ids: Sequence[UUID], values: dict[str, Any]) -> None:
    quote, target, source = connection.ops.quote_name, _columns(StateChange), _columns(TaskInstance)
    into = ", ".join(quote(target[name]) for name in (*_COPIED, *values))
    copied = ", ".join(quote(source[name]) for name in _COPIED.values())
    fields = StateChange._meta
    given = [fields.get_field(name).get_db_prep_save(value, connection) for name, value in values.items()]  # type: ignore[union-attr]
    key = TaskInstance._meta.pk
    sql = (
        f"INSERT INTO {quote(StateChange._meta.db_table)} ({into}) "  # noqa: S608  names come from models, values are bound
        f"SELECT {copied}, {', '.join(['%s'] * len(given))} FROM {quote(TaskInstance._meta.db_table)} "
        f"WHERE {quote(source['id'])} IN ({', '.join(['%s'] * len(ids))})"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given, *(key.get_db_prep_value(ti_id, connection) for ti_id in ids)])


@cache
def _columns(model: type[Model]) -> dict[str, str]:
    return {field.name: str(field.column) for field in model._meta.concrete_fields}


def announce(moved: Iterable[Moved]) -> None:
    """Tell the scheduler that owns the runs, and wake it after the commit."""
    events = [
        RunEvent(
            dag_run_id=m.row.dag_run_id,
            task_id=m.row.task_id,
            map_index=m.row.map_index,
            state=m.to_state,
            ti_id=m.event_id or m.row.id,
            due_at=m.due_at,
            revoked_id=m.row.id if m.revoked else None,
        )
        for m in moved
    ]
    if events:
        RunEvent.objects.bulk_create(events)
        notify_on_commit(SCHEDULER_TOPIC)


def record_run(run: DagRun, to_state: str, *, now: datetime, actor: str = "", cause: str = "") -> None:
    """Write the ``StateChange`` of a run, whose row in memory still has the state as read."""
    StateChange.objects.create(dag_run=run, from_state=run.state, to_state=to_state, at=now, actor=actor, cause=cause)
    after_run(run, to_state, now=now, actor=actor, cause=cause)


def announce_run(run_id: int) -> None:
    """Tell the owner of a run that the run itself changed, so that it reads it again."""
    RunEvent.objects.create(dag_run_id=run_id)
    notify_on_commit(SCHEDULER_TOPIC)
