"""Decides what is written beside a change of state: the change itself and the news for the scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.database import notify_on_commit
from runs.models import DagRun, RunEvent, StateChange, TaskInstance

SCHEDULER_TOPIC = "scheduler"


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


def record(moved: Sequence[Moved], *, now: datetime) -> None:
    """Write one ``StateChange`` per moved row; call it before the rows in memory get their new state."""
    StateChange.objects.bulk_create(
        StateChange(
            dag_run_id=m.row.dag_run_id,
            ti_id=m.row.id,
            task_id=m.row.task_id,
            map_index=m.row.map_index,
            try_number=m.row.try_number,
            from_state=m.row.state,
            to_state=m.to_state,
            at=now,
            actor=m.actor,
            cause=m.cause,
            dispatch_id=m.row.dispatch_id,
        )
        for m in moved
    )


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


def announce_run(run_id: int) -> None:
    """Tell the owner of a run that the run itself changed, so that it reads it again."""
    RunEvent.objects.create(dag_run_id=run_id)
    notify_on_commit(SCHEDULER_TOPIC)
