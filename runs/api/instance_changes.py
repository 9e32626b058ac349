"""Decides the REST operations that set the state or the note of task instances, of one task or of a task group."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from dags_app.api.queries import dag_or_404
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.sdk.serialization.spec import DagSpec
from runs.api.change_bodies import PATCH_INSTANCE, UPDATE_MASK
from runs.api.clear import spec_to_read
from runs.api.queries import run_or_404
from runs.api.task_instances import collection
from runs.clear_scope import Chosen, ClearScope
from runs.models import DagRun, TaskInstance
from runs.notes import set_notes
from runs.services_delete import instances_delete
from runs.services_mark import MarkRequest, instances_mark, instances_to_mark

operations = Operations("Task Instance")

_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_TASK = _RUN + "/taskInstances/{task_id}"
_GROUP = _RUN + "/taskGroupInstances/{group_id}"
_BY_QUERY = params(Param("map_index", scalars.integer), UPDATE_MASK)
_BY_PATH = params(UPDATE_MASK)
_TYPES = {"map_index": scalars.integer}


@operations.add("PATCH", _TASK, "patch_task_instance", role=Role.USER, params=_BY_QUERY, body=PATCH_INSTANCE)
def patch_task_instance(call: Call) -> dict[str, Any]:
    """Change all instances of a task, or one map index of it."""
    return _patch_task(call, call.query["map_index"])


@operations.add(
    "PATCH",
    _TASK + "/{map_index}",
    "patch_task_instance_by_map_index",
    role=Role.USER,
    params=_BY_PATH,
    body=PATCH_INSTANCE,
    types=_TYPES,
)
def patch_task_instance_by_map_index(call: Call) -> dict[str, Any]:
    """Change one map index of a task."""
    return _patch_task(call, call.path["map_index"])


@operations.add("PATCH", _TASK + "/dry_run", "patch_task_instance_dry_run", role=Role.USER, params=_BY_QUERY, body=PATCH_INSTANCE)
def patch_task_instance_dry_run(call: Call) -> dict[str, Any]:
    """Return which task instances would get the state."""
    return _would_change(call, call.query["map_index"])


@operations.add(
    "PATCH",
    _TASK + "/{map_index}/dry_run",
    "patch_task_instance_dry_run_by_map_index",
    role=Role.USER,
    params=_BY_PATH,
    body=PATCH_INSTANCE,
    types=_TYPES,
)
def patch_task_instance_dry_run_by_map_index(call: Call) -> dict[str, Any]:
    """Return which task instances would get the state."""
    return _would_change(call, call.path["map_index"])


@operations.add("PATCH", _GROUP, "patch_task_group_instances", role=Role.USER, params=_BY_PATH, body=PATCH_INSTANCE)
def patch_task_group_instances(call: Call) -> dict[str, Any]:
    """Change all task instances of a group; with a state, answers with all that changed."""
    run, spec, tasks = _group(call)
    with transaction.atomic():
        _note(call, instances_of(run, tasks))
        changed: list[TaskInstance] | None = None
        if "new_state" in _given(call):
            changed = instances_mark(spec, mark_request(run, Chosen(tasks), call.body), actor=call.user_name)
            if not changed:
                word = call.body["new_state"]
                raise RestError(409, f"All task instances in the group are already in {word} state")
        _audit(call, run)
    return collection(instances_of(run, tasks) if changed is None else now_of(changed))


@operations.add("PATCH", _GROUP + "/dry_run", "patch_task_group_instances_dry_run", role=Role.USER, body=PATCH_INSTANCE)
def patch_task_group_instances_dry_run(call: Call) -> dict[str, Any]:
    """Return which task instances would get the state."""
    run, spec, tasks = _group(call)
    if not call.body["new_state"]:
        return collection(instances_of(run, tasks))
    return collection(instances_to_mark(spec, mark_request(run, Chosen(tasks), call.body)))


@operations.add("DELETE", _TASK, "delete_task_instance", role=Role.USER, params=params(Param("map_index", scalars.integer, -1)))
def delete_task_instance(call: Call) -> Any:
    """Delete one task instance with its earlier attempts."""
    index = call.query["map_index"]
    found = TaskInstance.objects.filter(**_keys(call), task_id=call.path["task_id"], map_index=index).first()
    if found is None:
        raise NotFoundError(missing(call.path["dag_id"], call.path["dag_run_id"], call.path["task_id"], index))
    with transaction.atomic():
        instances_delete([found])
        ids = {"dag_id": found.dag_id, "run_id": found.run_id, "task_id": found.task_id, "map_index": index}
        audit_write("delete_task_instance", actor=call.user_name, **ids)
    return _nothing()


def _nothing() -> Any:
    from orchestrator.rest.answers import json_response

    return json_response(None)


def missing(dag_id: str, run_id: str, task_id: str, map_index: int | None) -> str:
    """Return the sentence for a task instance that does not exist."""
    place = f"dag_id: `{dag_id}`, run_id: `{run_id}`, task_id: `{task_id}` and map_index: `{map_index}`"
    return f"The Task Instance with {place} was not found"


def chosen_of(task_id: str, map_index: int | None) -> Chosen:
    """Return a whole task, or one index of it."""
    return Chosen({task_id}) if map_index is None else Chosen(indexes={(task_id, map_index)})


def mark_request(run: DagRun, chosen: Chosen, body: Any) -> MarkRequest:
    """Return what a body with ``new_state`` asks for."""
    reach = {name: body[f"include_{name}"] for name in ("upstream", "downstream", "future", "past")}
    return MarkRequest(run, chosen, body["new_state"], **reach)


def instances_of(run: DagRun, task_ids: Collection[str], map_index: int | None = None) -> list[TaskInstance]:
    """Return the task instances of tasks in a run."""
    rows = TaskInstance.objects.select_related("dag_run").filter(dag_run=run, task_id__in=sorted(task_ids))
    return list((rows if map_index is None else rows.filter(map_index=map_index)).order_by("task_id", "map_index"))


def now_of(rows: Sequence[TaskInstance]) -> list[TaskInstance]:
    """Return the rows as they are now; a clear in between may have given them other ids."""
    wanted = {(row.dag_run_id, row.task_id, row.map_index) for row in rows}
    found = TaskInstance.objects.select_related("dag_run").filter(dag_run_id__in={key[0] for key in wanted})
    found = found.filter(task_id__in={key[1] for key in wanted}).order_by("dag_run_id", "task_id", "map_index")
    return [row for row in found if (row.dag_run_id, row.task_id, row.map_index) in wanted]


def mark_task(spec: DagSpec, run: DagRun, task_id: str, map_index: int | None, body: Any, *, actor: str) -> None:
    """Give a task the state that the body names. Raises ``RestError`` where nothing changes."""
    if not instances_mark(spec, mark_request(run, chosen_of(task_id, map_index), body), actor=actor):
        raise RestError(409, f"Task id {task_id} is already in {body['new_state']} state")


def task_and_rows(run: DagRun | None, keys: tuple[str, str, str, int | None]) -> tuple[DagSpec, list[TaskInstance]]:
    """Return the DAG as it is now and the instances of a task. Raises ``NotFoundError``."""
    dag_id, run_id, task_id, map_index = keys
    spec = spec_to_read(dag_or_404(dag_id), None)
    if task_id not in spec.task_by_id():
        raise NotFoundError(f"Task '{task_id}' not found in Dag '{dag_id}'")
    rows = instances_of(run, [task_id], map_index) if run is not None else []
    if not rows:
        raise NotFoundError([missing(dag_id, run_id, task_id, map_index)])
    return spec, rows


def _patch_task(call: Call, map_index: int | None) -> dict[str, Any]:
    run, spec, rows = _task(call, map_index)
    task_id = call.path["task_id"]
    with transaction.atomic():
        _note(call, rows)
        if "new_state" in _given(call):
            mark_task(spec, run, task_id, map_index, call.body, actor=call.user_name)
        _audit(call, run, task_id=task_id, map_index=map_index)
    return collection(instances_of(run, [task_id], map_index))


def _would_change(call: Call, map_index: int | None) -> dict[str, Any]:
    run, spec, rows = _task(call, map_index)
    if "new_state" in _given(call):
        rows = instances_to_mark(spec, mark_request(run, chosen_of(call.path["task_id"], map_index), call.body))
    return collection(rows)


def _task(call: Call, map_index: int | None) -> tuple[DagRun, DagSpec, list[TaskInstance]]:
    path = call.path
    run = DagRun.objects.filter(dag_id=path["dag_id"], run_id=path["dag_run_id"]).first()
    spec, rows = task_and_rows(run, (path["dag_id"], path["dag_run_id"], path["task_id"], map_index))
    return rows[0].dag_run, spec, rows


def _group(call: Call) -> tuple[DagRun, DagSpec, set[str]]:
    dag_id, group_id = call.path["dag_id"], call.path["group_id"]
    spec = spec_to_read(dag_or_404(dag_id), None)
    tasks = ClearScope(spec).group_members(group_id)
    if tasks is None:
        raise NotFoundError(f"Task group '{group_id}' not found in DAG '{dag_id}'")
    run = run_or_404(dag_id, call.path["dag_run_id"])
    if not TaskInstance.objects.filter(dag_run=run, task_id__in=tasks).exists():
        raise NotFoundError(f"No task instances found for task group '{group_id}' in dag run '{run.run_id}'")
    return run, spec, tasks


def _given(call: Call) -> frozenset[str]:
    mask = call.query.get("update_mask")
    return call.body.given & set(mask) if mask else call.body.given


def _note(call: Call, rows: Sequence[TaskInstance]) -> None:
    if "note" in _given(call) and (call.query.get("update_mask") or call.body["note"] is not None):
        set_notes(rows, call.body["note"], user=call.user_name)


def _keys(call: Call) -> dict[str, str]:
    return {"dag_id": call.path["dag_id"], "run_id": call.path["dag_run_id"]}


def _audit(call: Call, run: DagRun, **ids: Any) -> None:
    if not _given(call):
        return  # nothing was asked, so nothing changed
    sent = {name: call.body[name] for name in call.body.given} | {k: v for k, v in call.path.items() if k == "group_id"}
    event = "patch_task_group_instances" if "group_id" in call.path else "patch_task_instance"
    audit_write(event, actor=call.user_name, extra=sent, dag_id=run.dag_id, run_id=run.run_id, **ids)
