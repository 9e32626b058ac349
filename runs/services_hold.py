"""Decides how a person stops a run or a task instance from going on for a while, and lets it go on (C21-c).

What runs goes on to its end; nothing that is held begins, so it uses no slot. Functions open no transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from orchestrator.database import for_update
from orchestrator.kernel.clock import isoformat_z
from runs.changes import announce_run
from runs.models import BulkAction, DagRun, Hold, TaskInstance
from runs.states import DAG_RUN_FINISHED
from runs.states import TaskInstanceState as S

HELD = "held"  # the wait reason
_WAITS = Q(state=None) | Q(state__in=[S.SCHEDULED, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE])


class HoldRefusedError(Exception):
    """The run is finished: nothing of it can be held."""


def hold_place(
    run: DagRun,
    *,
    by: str,
    now: datetime,
    task_id: str = "",
    map_index: int = -1,
    reason: str = "",
    until: datetime | None = None,
    bulk_action: BulkAction | None = None,
) -> Hold:
    """Hold a run, or one task of it; a hold that is there already gets the new words.

    Args:
        task_id: empty for the whole run.
        map_index: one index of a mapped task; -1 holds all of them.
        until: when it ends by itself; None for never.
        bulk_action: it is one of a bulk action, which takes it back; a person's own hold is not.

    Raises:
        HoldRefusedError: the run is finished.
    """
    locked = for_update(DagRun.objects.filter(pk=run.pk)).get()
    if locked.state in DAG_RUN_FINISHED:
        raise HoldRefusedError(f"run {run.run_id!r} of DAG {run.dag_id!r} is finished ({locked.state}): clear it, then hold it")
    values = {"held_by": by, "reason": reason, "until": until, "created_at": now, "bulk_action": bulk_action}
    hold, _ = Hold.objects.update_or_create(dag_run=run, task_id=task_id, map_index=map_index, defaults=values)
    show_wait(hold)
    announce_run(run.pk)
    return hold


def hold_release(hold: Hold) -> None:
    """Let what was held go on."""
    for_update(DagRun.objects.filter(pk=hold.dag_run_id)).first()
    if not Hold.objects.filter(pk=hold.pk).delete()[0]:
        return
    nothing = {"wait_reason": None, "wait_detail": None, "wait_since": None}
    if hold.task_id:
        _rows(hold).filter(wait_reason=HELD).update(**nothing)
    else:
        DagRun.objects.filter(pk=hold.dag_run_id, wait_reason=HELD).update(**nothing)
    announce_run(hold.dag_run_id)


def show_wait(hold: Hold) -> None:
    """Say on what is held why it waits; the words stay out of what a worker has."""
    detail: dict[str, Any] = {"by": hold.held_by, "reason": hold.reason}
    detail["until"] = isoformat_z(hold.until) if hold.until else None
    values = {"wait_reason": HELD, "wait_detail": detail, "wait_since": hold.created_at}
    if hold.task_id:
        _rows(hold).filter(_WAITS).exclude(wait_reason=HELD, wait_detail=detail).update(**values)
    else:
        open_run = DagRun.objects.filter(pk=hold.dag_run_id).exclude(state__in=list(DAG_RUN_FINISHED))
        open_run.exclude(wait_reason=HELD, wait_detail=detail).update(**values)


def _rows(hold: Hold) -> Any:
    rows = TaskInstance.objects.filter(dag_run_id=hold.dag_run_id, task_id=hold.task_id)
    return rows if hold.map_index < 0 else rows.filter(map_index=hold.map_index)
