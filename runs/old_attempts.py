"""Decides when an attempt that was taken from its worker is certainly over, so that the next one may start (C21-a).

A cleared attempt's lease stays until its end is certain, under no dispatch, so that no worker can renew it: either the
worker's executor says that the process is gone, or the lease expires. Until then the next attempt waits as ``retry_at``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from orchestrator.database import for_update, notify_on_commit
from runs.changes import SCHEDULER_TOPIC
from runs.models import RunEvent, TaskInstance, TaskInstanceHistory, TaskLease
from runs.states import TaskInstanceState as S

PREVIOUS_ATTEMPT = "previous_attempt"  # the wait reason
NO_DISPATCH = UUID(int=0)
LAUNCH = "launch"  # the wait reason of a hand-over that failed: it waits for its own time


def fence(rows: Iterable[TaskInstance]) -> dict[UUID, datetime]:
    """Take the leases of running attempts from their workers; returns until when each process may still run, by attempt id.

    The leases of the others are deleted. An attempt that waits for an earlier one goes on waiting.
    """
    ids = [row.id for row in rows if row.state in (S.RUNNING, S.RESTARTING)]
    leases = list(TaskLease.objects.filter(ti_id__in=ids).select_for_update().order_by("pk")) if ids else []
    TaskLease.objects.filter(pk__in=[lease.pk for lease in leases]).update(dispatch_id=NO_DISPATCH)
    until = {lease.ti_id: lease.expires_at for lease in leases}
    return until | {row.id: row.retry_at for row in rows if row.retry_at is not None and _waits(row)}


def is_fenced(row: TaskInstance, now: datetime) -> bool:
    """Return whether the attempt must wait for the end of the one before, whatever else it waits for."""
    return _waits(row) and row.retry_at is not None and row.retry_at > now


def confirm_ended(ids: Collection[UUID]) -> int:
    """The processes of these attempts are gone: what waits for them may start. Returns how many wait no longer."""
    fenced = TaskLease.objects.filter(ti_id__in=list(ids), dispatch_id=NO_DISPATCH)
    over = list(fenced.select_for_update().order_by("pk").values_list("ti_id", flat=True)) if ids else []
    if not over:
        return 0
    TaskLease.objects.filter(pk__in=over).delete()
    freed = [row for past in TaskInstanceHistory.objects.filter(id__in=over) for row in _waiting_for(past)]
    TaskInstance.objects.filter(id__in=[row.id for row in freed]).update(retry_at=None, wait_reason="slots", wait_detail=None)
    news = [_event(row) for row in freed if row.state == S.SCHEDULED]
    if news:
        RunEvent.objects.bulk_create(news)
        notify_on_commit(SCHEDULER_TOPIC)
    return len(freed)


def _waiting_for(past: TaskInstanceHistory) -> list[TaskInstance]:
    place = {"dag_run_id": past.dag_run_id, "task_id": past.task_id, "map_index": past.map_index}
    return [row for row in for_update(TaskInstance.objects.filter(**place, retry_at__isnull=False)) if _waits(row)]


def _waits(row: TaskInstance) -> bool:
    """Nothing else gives an attempt a time before it is handed over for the first time; a hold may show another reason."""
    return row.state is None or (row.state == S.SCHEDULED and row.wait_reason != LAUNCH)


def _event(row: TaskInstance) -> RunEvent:
    place = {"dag_run_id": row.dag_run_id, "task_id": row.task_id, "map_index": row.map_index}
    return RunEvent(**place, state=row.state, ti_id=row.id)
