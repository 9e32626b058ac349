"""Decides our own REST operations that hold a run or a task instance and let it go on (C21-c)."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.schemas import Schema
from runs.api.queries import run_or_404
from runs.models import DagRun, Hold, TaskInstance
from runs.services_hold import HoldRefusedError, hold_place, hold_release

operations = Operations("Hold")

_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_TASK = _RUN + "/taskInstances/{task_id}"
_INDEX = _TASK + "/{map_index}"
_TYPES = {"map_index": scalars.at_least(-1)}
BODY = Body("HoldBody", {"reason": Field(scalars.text_up_to(1000)), "until": Field(scalars.aware_instant)})
HOLD = Schema(
    "HoldResponse",
    "map_index",
    "held_by",
    "reason",
    "created_at",
    "until",
    dag_id="dag_run.dag_id",
    dag_run_id="dag_run.run_id",
    task_id=lambda hold: hold.task_id or None,
)


@operations.add("GET", _RUN + "/holds", "get_holds")
def get_holds(call: Call) -> dict[str, Any]:
    """Return what is held of a run: itself, tasks, indexes."""
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    rows = Hold.objects.select_related("dag_run").filter(dag_run=run).order_by("task_id", "map_index")
    return {"holds": [HOLD.of(hold) for hold in rows], "total_entries": len(rows)}


@operations.add("POST", _RUN + "/hold", "hold_dag_run", role=Role.USER, body=BODY)
def hold_dag_run(call: Call) -> dict[str, Any]:
    """Let nothing of a run begin."""
    return _hold(call, "", -1)


@operations.add("DELETE", _RUN + "/hold", "release_dag_run", role=Role.USER, status=204)
def release_dag_run(call: Call) -> None:
    """Let a run go on."""
    _release(call, "", -1)


@operations.add("POST", _TASK + "/hold", "hold_task", role=Role.USER, body=BODY)
def hold_task(call: Call) -> dict[str, Any]:
    """Let a task not begin, with all its map indexes."""
    return _hold(call, call.path["task_id"], -1)


@operations.add("DELETE", _TASK + "/hold", "release_task", role=Role.USER, status=204)
def release_task(call: Call) -> None:
    """Let a task go on."""
    _release(call, call.path["task_id"], -1)


@operations.add("POST", _INDEX + "/hold", "hold_task_instance", role=Role.USER, body=BODY, types=_TYPES)
def hold_task_instance(call: Call) -> dict[str, Any]:
    """Let one map index of a task not begin."""
    return _hold(call, call.path["task_id"], call.path["map_index"])


@operations.add("DELETE", _INDEX + "/hold", "release_task_instance", role=Role.USER, types=_TYPES, status=204)
def release_task_instance(call: Call) -> None:
    """Let one map index go on."""
    _release(call, call.path["task_id"], call.path["map_index"])


def _hold(call: Call, task_id: str, map_index: int) -> dict[str, Any]:
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    _check_task(run, task_id, map_index)
    until: datetime | None = call.body["until"]
    if until is not None and until <= utcnow():
        raise RestError(400, f"until ({until.isoformat()}) is past: name a time to come, or none")
    place: dict[str, Any] = {"task_id": task_id, "map_index": map_index}
    with transaction.atomic():
        try:
            reason = call.body["reason"] or ""
            hold = hold_place(run, by=call.user_name, now=utcnow(), reason=reason, until=until, **place)
        except HoldRefusedError as error:
            raise RestError(409, str(error)) from error
        _audit("hold", call, run, task_id, map_index, extra={"reason": reason, "until": until})
    return HOLD.of(hold)


def _release(call: Call, task_id: str, map_index: int) -> None:
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    hold = Hold.objects.filter(dag_run=run, task_id=task_id, map_index=map_index).first()
    if hold is None:
        what = f"task {task_id!r}" + (f"[{map_index}]" if map_index >= 0 else "") if task_id else "the run"
        raise NotFoundError(f"{what} of run {run.run_id!r} of DAG {run.dag_id!r} is not held")
    with transaction.atomic():
        hold_release(hold)
        _audit("release", call, run, task_id, map_index)


def _check_task(run: DagRun, task_id: str, map_index: int) -> None:
    rows = TaskInstance.objects.filter(dag_run=run, task_id=task_id)
    if task_id and not (rows if map_index < 0 else rows.filter(map_index=map_index)).exists():
        index = "" if map_index < 0 else f" with map_index {map_index}"
        raise NotFoundError(f"run {run.run_id!r} of DAG {run.dag_id!r} has no task instance {task_id!r}{index}")


def _audit(event: str, call: Call, run: DagRun, task_id: str, map_index: int, **more: Any) -> None:
    ids: dict[str, Any] = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": task_id or None}
    audit_write(event, actor=call.user_name, **ids, map_index=map_index if task_id else None, **more)
