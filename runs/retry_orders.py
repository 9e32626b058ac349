"""Decides what a person may do about an attempt that waits for its next try: have it now, or give it up (C25-d)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.services import audit_write
from orchestrator.config import conf
from orchestrator.database import for_update
from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.causes import Cause
from runs.changes import Moved, announce
from runs.models import DagRun, TaskInstance
from runs.states import TaskInstanceState as S


class NotWaitingError(Exception):
    """The task instance does not wait for another try."""


@dataclass(frozen=True, slots=True)
class RetryOutlook:
    """When the next try begins, and how many may follow of each budget."""

    retry_at: datetime | None
    retries_left: int
    infra_retries_left: int


def outlook(ti: TaskInstance) -> RetryOutlook:
    """Return what is left for a task instance as it is now."""
    most = int(conf.get("scheduler", "max_infra_retries"))
    left = max(0, ti.max_tries - ti.try_number + 1)
    return RetryOutlook(ti.retry_at if ti.state == S.UP_FOR_RETRY else None, left, max(0, most - ti.infra_tries))


def retry_now(ti: TaskInstance, *, actor: str) -> TaskInstance:
    """Begin the next try at once, in the caller's transaction. Raises ``NotWaitingError``."""
    row, now = _waiting(ti), utcnow()
    TaskInstance.objects.filter(pk=row.pk).update(retry_at=now, updated_at=now)
    announce([Moved(row, S.UP_FOR_RETRY, event_id=row.pk, due_at=now, actor=actor)])
    _audit("retry_now", row, actor)
    row.retry_at = now
    return row


def give_up(ti: TaskInstance, *, actor: str) -> TaskInstance:
    """Fail the task without another try, in the caller's transaction. Raises ``NotWaitingError``."""
    row = _waiting(ti)
    transitions.mark([row.pk], S.FAILED, now=utcnow(), actor=actor, cause=Cause.MARKED)
    _audit("give_up", row, actor)
    row.refresh_from_db()
    return row


def _waiting(ti: TaskInstance) -> TaskInstance:
    for_update(DagRun.objects.filter(pk=ti.dag_run_id)).first()  # lock order: the run before its task instances
    same = TaskInstance.objects.filter(dag_run_id=ti.dag_run_id, task_id=ti.task_id, map_index=ti.map_index)
    row = for_update(same).first()
    if row is None or row.state != S.UP_FOR_RETRY:
        state = row.state if row else "gone"
        raise NotWaitingError(f"{ti.task_id} of run {ti.run_id} does not wait for another try: it is {state or 'undecided'}")
    return row


def _audit(event: str, row: TaskInstance, actor: str) -> None:
    fields: dict[str, Any] = {"dag_id": row.dag_id, "run_id": row.run_id, "task_id": row.task_id}
    audit_write(event, actor=actor, map_index=row.map_index, try_number=row.try_number, **fields)
