"""Decides what follows a deadline whose time has come: one change of its row, and with it one callback."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from orchestrator.kernel.ids import new_id
from runs.callbacks.kinds import Kind
from runs.callbacks.services import NewDelivery, deliveries_create
from runs.consequences.documents import run_document
from runs.consequences.specs import recent_spec
from runs.deadlines.judgement import Judgement, judge
from runs.models import Callback, DagRun, Deadline
from runs.states import DagRunState

log = logging.getLogger(__name__)

State = Deadline.State
IN_DAG_FILE = "unusual_prefix_"


def deadline_look(row: Deadline, *, now: datetime) -> bool:
    """Look at a deadline inside the caller's transaction; True if it was missed. ``row`` is locked.

    The change to missed is a compare-and-swap, and the callback's key is the deadline's: however many look, it is
    called once (C27-b).
    """
    run = DagRun.objects.get(pk=row.dag_run_id)
    try:
        found = judge(row, run, recent_spec(run.created_dag_version_id), now)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("deadline %s of %s %s is cancelled: %s", row.pk, run.dag_id, run.run_id, error)
        _move(row, State.CANCELLED, now, row.deadline_time)
        return False
    own = row.alert.get("subject") != "task" or set(found.late) <= {-1}
    if found.late and own:
        return _miss(row, run, min(found.late.values()), now)
    missed = [_miss_index(row, run, index, moment, now) for index, moment in sorted(found.late.items())]
    _go_on(row, run, found, now)
    return any(missed)


def _go_on(row: Deadline, run: DagRun, found: Judgement, now: datetime) -> None:
    if found.over:
        # The row of a mapped task whose indexes are late: they have rows and callbacks of their own.
        met = State.CANCELLED if not row.task_id and run.state == DagRunState.FAILED else State.MET
        _move(row, State.MISSED if found.late else met, now, row.deadline_time)
    elif found.look_at is not None:
        later = found.look_at if found.look_at > now else now
        Deadline.objects.filter(pk=row.pk, state=State.PENDING).update(deadline_time=later)


def _miss(row: Deadline, run: DagRun, moment: datetime, now: datetime) -> bool:
    if not _move(row, State.MISSED, now, moment):
        return False
    row.deadline_time = moment
    _call(row, run, now)
    return True


def _miss_index(row: Deadline, run: DagRun, index: int, moment: datetime, now: datetime) -> bool:
    """One index of a mapped task is late: it gets a row of its own, the one of the task goes on."""
    place = {"dag_run": run, "task_id": row.task_id, "map_index": index, "alert_index": row.alert_index}
    if Deadline.objects.filter(**place).exists():
        return False
    values = {"dag_id": row.dag_id, "alert": row.alert, "deadline_time": moment, "created_at": row.created_at, "ended_at": now}
    # The row of the task is locked, so nobody else makes this one.
    own = Deadline.objects.create(id=new_id(), state=State.MISSED, **place, **values)
    _call(own, run, now)
    return True


def _move(row: Deadline, state: str, now: datetime, moment: datetime) -> bool:
    pending = Deadline.objects.filter(pk=row.pk, state=State.PENDING)
    return bool(pending.update(state=state, ended_at=now, deadline_time=moment))


def _call(row: Deadline, run: DagRun, now: datetime) -> None:
    callback = row.alert["callback"]
    # A triggerer imports no DAG files; a coroutine function inside of one runs in a worker.
    is_async = callback.get("type") == "AsyncCallback" and not callback["path"].startswith(IN_DAG_FILE)
    payload: dict[str, Any] = {
        "path": callback["path"],
        "kwargs": callback.get("kwargs") or {},
        "encoded": bool(callback.get("encoded")),
        "executor": callback.get("executor"),
        "dag_run": run_document(run),
        "context": context_of(row, run),
    }
    key = f"deadline:{row.pk}"
    kind = Kind.DEADLINE_ASYNC if is_async else Kind.DEADLINE
    deliveries_create([NewDelivery(kind, run.dag_id, run.pk, payload, key)], now=now)
    delivery = Callback.objects.get(dedupe_key=key)
    Deadline.objects.filter(pk=row.pk).update(callback=delivery)


def context_of(row: Deadline, run: DagRun) -> dict[str, Any]:
    """Return what the callback is told: Airflow's ``dag_run`` and ``deadline``, and for tasks their names."""
    deadline = {"id": str(row.pk), "deadline_time": row.deadline_time.isoformat(), "name": row.alert.get("name")}
    context: dict[str, Any] = {"dag_run": {**run_document(run), "dag_run_id": run.run_id}, "deadline": deadline}
    if row.task_id:
        context["deadline"] |= {"task_id": row.task_id, "map_index": row.map_index, "condition": row.alert.get("condition")}
    return context
