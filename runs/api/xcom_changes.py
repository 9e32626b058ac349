"""Decides the REST operations that create, change and delete XComs by hand."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.sdk.execution import xcom_objects
from runs.api.queries import attach_to_xcoms, run_or_404
from runs.api.schemas import XCOM
from runs.models import DagRun, TaskInstance, XCom
from runs.services_xcom import XComValue, xcom_delete, xcom_set, xcom_text

operations = Operations("XCom")

IN_DATABASE = 16 << 20  # most bytes of a value that comes whole, whatever the option says
_ENTRIES = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries"
_ENTRY = _ENTRIES + "/{xcom_key:path}"


# Marks of serialized objects: with them a client could have any class made where the value is read.
RESERVED = frozenset({"__classname__", "__version__", "__data__", "__id__", "__cache__", "__type", "__source", "__var"})


def _plain(value: Any) -> Any:
    """Take any JSON without the marks of serialized objects, also inside of a text that holds JSON."""
    _check_plain(value, "value")
    return value


def _check_plain(value: Any, where: str) -> None:
    if isinstance(value, str):
        value = _container(value)
    if isinstance(value, dict) and (found := sorted(RESERVED & value.keys())):
        message = f"Value error, XCom {where} contains reserved serialization keys: {', '.join(found)}. "
        raise ProblemError("value_error", message + "These keys are reserved for internal use.", {"error": {}})
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        _check_plain(part, f"{where}.{key}" if isinstance(value, dict) else f"{where}[{key}]")


def _container(text: str) -> Any:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict | list) else None


_SHARED = {"value": Field(_plain, required=True), "map_index": Field(scalars.integer, null=False, default=-1)}
CREATE = Body("XComCreateBody", {"key": Field(scalars.text_up_to(512), required=True, null=False), **_SHARED})
UPDATE = Body("XComUpdateBody", _SHARED)
AT = params(Param("map_index", scalars.at_least(-1), -1))


@operations.add("POST", _ENTRIES, "create_xcom_entry", role=Role.USER, body=CREATE, status=201)
def create_xcom_entry(call: Call) -> dict[str, Any]:
    """Write a value for a task instance that has none of this key."""
    dag_id, run_id, task_id = (call.path[name] for name in ("dag_id", "dag_run_id", "task_id"))
    run, key, index = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first(), call.body["key"], call.body["map_index"]
    if run is None:
        raise NotFoundError(f"Dag Run with ID: `{run_id}` not found for dag: `{dag_id}`")
    with transaction.atomic():
        indexes = set(TaskInstance.objects.filter(dag_run=run, task_id=task_id).values_list("map_index", flat=True))
        if not indexes:
            raise NotFoundError(f"Task with ID: `{task_id}` not found in dag: `{dag_id}`")
        if index not in indexes:
            raise NotFoundError(f"Task with ID: `{task_id}` has no map_index `{index}` in run `{run_id}` of dag: `{dag_id}`")
        if _rows(call, run, key, index).exists():
            raise RestError(409, f"The XCom with key: `{key}` with mentioned task instance already exists.")
        return _write(call, run, key, "create_xcom_entry")


@operations.add("PATCH", _ENTRY, "update_xcom_entry", role=Role.USER, body=UPDATE)
def update_xcom_entry(call: Call) -> dict[str, Any]:
    """Write another value."""
    run, key = _run(call), call.path["xcom_key"]
    with transaction.atomic():
        if not _rows(call, run, key, call.body["map_index"]).exists():
            raise _missing(key)
        return _write(call, run, key, "update_xcom_entry")


@operations.add("DELETE", _ENTRY, "delete_xcom_entry", role=Role.USER, params=AT, status=204)
def delete_xcom_entry(call: Call) -> None:
    """Delete a value, and its file where it is a large one."""
    run, key = _run(call), call.path["xcom_key"]
    with transaction.atomic():
        if not xcom_delete(run.pk, call.path["task_id"], key, call.query["map_index"]):
            raise _missing(key)
        _audit("delete_xcom_entry", call, key, call.query["map_index"])


def _run(call: Call) -> DagRun:
    return run_or_404(call.path["dag_id"], call.path["dag_run_id"])


def _rows(call: Call, run: DagRun, key: str, index: int) -> Any:
    return XCom.objects.filter(dag_run=run, task_id=call.path["task_id"], key=key, map_index=index)


def _missing(key: str) -> NotFoundError:
    return NotFoundError(f"The XCom with key: `{key}` with mentioned task instance doesn't exist.")


def _write(call: Call, run: DagRun, key: str, event: str) -> dict[str, Any]:
    value, index, task_id = call.body["value"], call.body["map_index"], call.path["task_id"]
    check_value(key, value)
    # The file of a large value that this one replaces goes with it.
    xcom_delete(run.pk, task_id, key, index)
    xcom_set([XComValue(run.pk, run.dag_id, run.run_id, task_id, index, key, value)], now=utcnow())
    _audit(event, call, key, index)
    row = _rows(call, run, key, index).select_related("dag_run").get()
    attach_to_xcoms([row])
    return XCOM.of(row) | {"value": value}


def check_value(key: str, value: Any) -> None:
    """Refuse what would be read as the reference of a large value, and what is too large to come whole."""
    if isinstance(value, dict) and value.get("__classname__") == xcom_objects.MARK:
        raise RestError(400, f"The class name {xcom_objects.MARK!r} is reserved for large values that tasks write.")
    limit = min(conf.get("workers", "xcom_max_bytes"), IN_DATABASE)
    size = len(xcom_text(value).encode())
    if size > limit:
        raise RestError(400, f"The XCom {key!r} has {size} bytes; the most is {limit} ([workers] xcom_max_bytes).")


def _audit(event: str, call: Call, key: str, index: int) -> None:
    path = call.path
    ids = {"dag_id": path["dag_id"], "run_id": path["dag_run_id"], "task_id": path["task_id"], "map_index": index}
    audit_write(event, actor=call.user_name, extra={"key": key}, **ids)
