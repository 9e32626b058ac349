"""Decides the REST operation that changes or deletes many task instances at once."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.rest.bodies import Values
from orchestrator.rest.bulk_bodies import bulk_body
from orchestrator.rest.errors import RestError
from orchestrator.rest.operations import Call, Operations
from runs.api.change_bodies import BULK_INSTANCE
from runs.api.instance_changes import instances_of, mark_task, task_and_rows
from runs.api.queries import ANY
from runs.models import DagRun, TaskInstance
from runs.notes import set_notes
from runs.services_delete import instances_delete

operations = Operations("Task Instance")

Key = tuple[str, str, str, int | None]


@operations.add(
    "PATCH",
    "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances",
    "bulk_task_instances",
    role=Role.USER,
    body=bulk_body("BulkBody_BulkTaskInstanceBody_", BULK_INSTANCE),
)
def bulk_task_instances(call: Call) -> dict[str, Any]:
    """Set states and notes of task instances, or delete them; an action stops at its first refusal."""
    answer: dict[str, Any] = {"create": None, "update": None, "delete": None}
    for action in call.body["actions"]:
        word = action["action"]
        result = answer[word] = answer[word] or {"success": [], "errors": []}
        if word == "create":
            result["errors"].append({"error": "Task instances bulk create is not supported", "status_code": 405})
            continue
        try:
            _carry_out(call, action, result)
        except RestError as error:
            result["errors"].append({"error": f"{error.detail}", "status_code": error.status})
    return answer


def _carry_out(call: Call, action: Mapping[str, Any], result: dict[str, Any]) -> None:
    wanted: dict[Key, Any] = {}
    for entity in action["entities"]:
        key = _key(entity, call)
        if ANY in key[:2]:
            what = f"dag_id and dag_run_id must be specified in request body for task_id: {key[2]}"
            result["errors"].append({"error": f"When using wildcard in path, {what}", "status_code": 400})
        else:
            wanted[key] = entity
    found = {key: _rows(key) for key in wanted}
    _check(found, action["on"])
    for key, rows in found.items():
        with transaction.atomic():
            if action["action"] == "delete":
                instances_delete(rows)
            else:
                _update(key, rows, wanted[key], action["update_mask"], call.user_name)
            ids = {"dag_id": key[0], "run_id": key[1], "task_id": key[2], "map_index": key[3]}
            audit_write("bulk_task_instances", actor=call.user_name, extra={"action": action["action"]}, **ids)
        result["success"] += [f"{key[0]}.{key[1]}.{key[2]}[{row.map_index}]" for row in rows]


def _key(entity: Any, call: Call) -> Key:
    dag_id, run_id = call.path["dag_id"], call.path["dag_run_id"]
    if isinstance(entity, str):
        return dag_id, run_id, entity, None
    return entity["dag_id"] or dag_id, entity["dag_run_id"] or run_id, entity["task_id"], entity["map_index"]


def _rows(key: Key) -> list[TaskInstance]:
    run = DagRun.objects.filter(dag_id=key[0], run_id=key[1]).first()
    return instances_of(run, [key[2]], key[3]) if run is not None else []


def _check(found: Mapping[Key, list[TaskInstance]], on_missing: str) -> None:
    gone = [key for key, rows in found.items() if not rows]
    if not gone or on_missing != "fail":
        return
    single = [dict(zip(("dag_id", "dag_run_id", "task_id", "map_index"), key, strict=True)) for key in gone if key[3] is not None]
    if single:
        raise RestError(404, f"The task instances with these identifiers: {single} were not found")
    dag_id, run_id, task_id, _ = gone[0]
    raise RestError(404, f"No task instances found for dag_id: {dag_id}, run_id: {run_id}, task_id: {task_id}")


def _update(key: Key, rows: list[TaskInstance], entity: Values, mask: Any, actor: str) -> None:
    if not rows:
        return
    given = entity.given & set(mask) if mask else entity.given
    spec, rows = task_and_rows(rows[0].dag_run, key)
    if "note" in given and entity["note"] is not None:
        set_notes(rows, entity["note"], user=actor)
    if "new_state" in given:
        mark_task(spec, rows[0].dag_run, key[2], key[3], entity, actor=actor)
