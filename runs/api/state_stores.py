"""Decides the REST operations on values that tasks keep between attempts, and beside assets."""

import json
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.answers import json_response
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, page_params, params
from runs.api.asset_queries import asset_or_404
from runs.api.asset_schemas import ASSET_VALUE, TASK_VALUE
from runs.models import AssetState, TaskInstance, TaskState
from runs.stores import TaskScope, asset_value_set, default_expiry, task_value_set, task_values

operations = Operations("Task State Store")

_TASK = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/state-store"
_ASSET = "/assets/{asset_id}/state-store"
_ID = {"asset_id": scalars.integer}
_INDEX = Param("map_index", scalars.at_least(-1), -1)
ORDER = ordering("key", default=["key"], key="key")
DEFAULT = "default"


def value(document: Any) -> Any:
    """Take a JSON value that is not null, has no NaN, and is not too long."""
    if document is None:
        raise _problem("value cannot be null")
    try:
        length = len(json.dumps(document, allow_nan=False))
    except ValueError as error:
        raise _problem("value contains non-finite numbers; NaN and Inf are not JSON representable") from error
    limit = int(conf.get("state_store", "max_value_storage_bytes"))
    if 0 < limit < length:
        more = "raise [state_store] max_value_storage_bytes or set it to 0 to disable the limit"
        raise _problem(f"value exceeds max_value_storage_bytes ({limit}); {more}")
    return document


def _problem(text: str) -> ProblemError:
    return ProblemError("value_error", f"Value error, {text}", {"error": {}})


def expiry(document: Any) -> datetime | str:
    """Take an instant, or the word for the configured time."""
    return DEFAULT if document == DEFAULT else scalars.aware_instant(document)


_VALUE = Field(value, required=True, null=False)
SET_BODY = Body("TaskStateStoreBody", {"value": _VALUE, "expires_at": Field(expiry, default=DEFAULT)})
PATCH_BODY = Body("TaskStateStorePatchBody", {"value": _VALUE})
ASSET_BODY = Body("AssetStateStoreBody", {"value": _VALUE})
LIST = params(_INDEX, page_params())
ASSET_LIST = params(page_params())
CLEAR = params(Param("all_map_indices", scalars.switch, False), _INDEX)


# ------------------------------------------------------------------------------------------------ values of a task


def _scope(call: Call, index: int | None) -> TaskScope | None:
    """Return whose values are meant, None where there is no such task instance; index None means any."""
    path = call.path
    rows = TaskInstance.objects.filter(dag_id=path["dag_id"], run_id=path["dag_run_id"], task_id=path["task_id"])
    if index is not None:
        rows = rows.filter(map_index=index)
    run_pk = rows.values_list("dag_run_id", flat=True).first()
    return None if run_pk is None else TaskScope(run_pk, path["task_id"], -1 if index is None else index)


def _scope_or_404(call: Call, index: int | None) -> TaskScope:
    scope = _scope(call, index)
    if scope is None:
        path, shown = call.path, "all_map_indices=True" if index is None else f"map_index={index}"
        ids = f"dag_id={path['dag_id']!r}, run_id={path['dag_run_id']!r}, task_id={path['task_id']!r}"
        raise NotFoundError(f"Task instance not found for {ids}, {shown}")
    return scope


def _task_value(call: Call) -> TaskState:
    scope = _scope(call, call.query["map_index"])
    row = task_values(scope, utcnow()).filter(key=call.path["key"]).first() if scope else None
    if row is None:
        raise NotFoundError(f"Task state store key {call.path['key']!r} not found")
    return row


@operations.add("GET", _TASK, "list_task_state_store", params=LIST)
def list_task_state_store(call: Call) -> dict[str, Any]:
    """Return the values of a task."""
    scope = _scope(call, call.query["map_index"])
    rows = task_values(scope, utcnow()) if scope else TaskState.objects.none()
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=TASK_VALUE, key="task_state_store")


@operations.add("GET", _TASK + "/{key:path}", "get_task_state_store", params=params(_INDEX))
def get_task_state_store(call: Call) -> dict[str, Any]:
    """Return one value of a task."""
    return TASK_VALUE.of(_task_value(call))


@operations.add("PUT", _TASK + "/{key:path}", "set_task_state_store", role=Role.USER, params=params(_INDEX), body=SET_BODY)
def set_task_state_store(call: Call) -> None:
    """Keep a value for a task."""
    now, expires_at = utcnow(), call.body["expires_at"]
    scope = _scope_or_404(call, call.query["map_index"])
    with transaction.atomic():
        chosen = default_expiry(now) if expires_at == DEFAULT else expires_at
        task_value_set(scope, call.path["key"], call.body["value"], expires_at=chosen, now=now)
        _audit("set_task_state_store", call)


@operations.add("PATCH", _TASK + "/{key:path}", "patch_task_state_store", role=Role.USER, params=params(_INDEX), body=PATCH_BODY)
def patch_task_state_store(call: Call) -> Any:
    """Replace a value and leave its expiry."""
    scope = _scope_or_404(call, call.query["map_index"])
    row = _task_value(call)
    with transaction.atomic():
        task_value_set(scope, row.key, call.body["value"], expires_at=row.expires_at, now=utcnow())
        _audit("patch_task_state_store", call)
    return json_response(None)


@operations.add("DELETE", _TASK + "/{key:path}", "delete_task_state_store", role=Role.USER, params=params(_INDEX))
def delete_task_state_store(call: Call) -> None:
    """Forget one value of a task; one that is not there counts as forgotten."""
    scope = _scope_or_404(call, call.query["map_index"])
    with transaction.atomic():
        if task_values(scope, utcnow()).filter(key=call.path["key"]).delete()[0]:
            _audit("delete_task_state_store", call)


@operations.add("DELETE", _TASK, "clear_task_state_store", role=Role.USER, params=CLEAR)
def clear_task_state_store(call: Call) -> None:
    """Forget all values of a task, of one map index or of all."""
    index = None if call.query["all_map_indices"] else call.query["map_index"]
    scope = _scope_or_404(call, index)
    rows = TaskState.objects.filter(dag_run_id=scope.dag_run_id, task_id=scope.task_id)
    with transaction.atomic():
        if (rows if index is None else rows.filter(map_index=index)).delete()[0]:
            _audit("clear_task_state_store", call)


# ------------------------------------------------------------------------------------------------ values of an asset


def _asset_rows(call: Call) -> Any:
    asset = asset_or_404(call.path["asset_id"], "Asset with id {} not found")
    return AssetState.objects.filter(asset=asset)


@operations.add("GET", _ASSET, "list_asset_state_store", params=ASSET_LIST, types=_ID)
def list_asset_state_store(call: Call) -> dict[str, Any]:
    """Return the values beside an asset."""
    rows = _asset_rows(call)
    return list_body(rows, call.query, params=ASSET_LIST, order=ORDER, schema=ASSET_VALUE, key="asset_state_store")


@operations.add("GET", _ASSET + "/{key:path}", "get_asset_state_store", types=_ID)
def get_asset_state_store(call: Call) -> dict[str, Any]:
    """Return one value beside an asset."""
    row = _asset_rows(call).filter(key=call.path["key"]).first()
    if row is None:
        raise NotFoundError(f"Asset state store key {call.path['key']!r} not found")
    return ASSET_VALUE.of(row)


@operations.add("PUT", _ASSET + "/{key:path}", "set_asset_state_store", role=Role.OP, body=ASSET_BODY, types=_ID)
def set_asset_state_store(call: Call) -> None:
    """Keep a value beside an asset."""
    _asset_rows(call)
    with transaction.atomic():
        asset_value_set(call.path["asset_id"], call.path["key"], call.body["value"], writer={"kind": "api"}, now=utcnow())
        _audit("set_asset_state_store", call)


@operations.add("DELETE", _ASSET + "/{key:path}", "delete_asset_state_store", role=Role.OP, types=_ID)
def delete_asset_state_store(call: Call) -> None:
    """Forget one value beside an asset; one that is not there counts as forgotten."""
    rows = _asset_rows(call)
    with transaction.atomic():
        if rows.filter(key=call.path["key"]).delete()[0]:
            _audit("delete_asset_state_store", call)


@operations.add("DELETE", _ASSET, "clear_asset_state_store", role=Role.OP, types=_ID)
def clear_asset_state_store(call: Call) -> None:
    """Forget all values beside an asset."""
    rows = _asset_rows(call)
    with transaction.atomic():
        if rows.delete()[0]:
            _audit("clear_asset_state_store", call)


def _audit(event: str, call: Call) -> None:
    names = {"dag_id": "dag_id", "run_id": "dag_run_id", "task_id": "task_id"}
    ids = {column: call.path[name] for column, name in names.items() if name in call.path}
    audit_write(event, actor=call.user_name, extra={**call.path, **call.query}, **ids)
