"""Decides how workers keep values between attempts (by attempt) and beside assets (by name or URI)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from dags_app.models import Asset
from executionapi.calls import Call, Operation, Work, one_by_one
from executionapi.fields import Field, InvalidError, anything, instant, optional, read_object, read_query
from executionapi.operations.attempts import missing_or_gone, own_rows
from executionapi.replies import Reply, not_found
from orchestrator.kernel.clock import utcnow
from runs.models import AssetState, TaskInstance
from runs.stores import TaskScope, asset_value_set, default_expiry, task_value_set, task_values

Json = Any
SINCE: Final = "2026-06-30"
_TASK_BODY: Final = (Field("value", anything), Field("expires_at", optional(instant), required=False))
_ASSET_BODY: Final = (Field("value", anything),)


def _filled(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise InvalidError("string_too_short", "String should have at least 1 character", min_length=1)


# ------------------------------------------------------------------------------------------------ values of a task


def _row(call: Call) -> TaskInstance:
    row = own_rows([call]).get(call.ti_id)
    if row is None:
        raise missing_or_gone(call.ti_id)
    return row


def _scope(call: Call) -> TaskScope:
    row = _row(call)
    return TaskScope(row.dag_run_id, row.task_id, row.map_index)


def task_get(call: Call) -> Reply:
    """One value of the attempt's task in its run."""
    key = call.args["key"]
    text = task_values(_scope(call), utcnow()).filter(key=key).values_list("value", flat=True).first()
    if text is None:
        raise not_found(f"Task state store key {key!r} not found")
    return Reply(200, {"value": json.loads(text)})


def read_task_value(call: Call) -> dict[str, Any]:
    """Value and expiry out of the body."""
    return read_object(call.body, _TASK_BODY)


def task_put(call: Call) -> Reply:
    """Keep a value; a later attempt finds it."""
    now, wanted = utcnow(), call.value
    expires_at = wanted["expires_at"] if "expires_at" in call.body else default_expiry(now)
    task_value_set(_scope(call), call.args["key"], wanted["value"], expires_at=expires_at, now=now)
    return Reply(204)


def task_delete(call: Call) -> Reply:
    """Forget one value; one that is not there counts as forgotten."""
    task_values(_scope(call), utcnow()).filter(key=call.args["key"]).delete()
    return Reply(204)


def task_clear(call: Call) -> Reply:
    """Forget all values of the attempt's task."""
    task_values(_scope(call), utcnow()).delete()
    return Reply(204)


# ------------------------------------------------------------------------------------------------ values of an asset


def _asset(call: Call, by: str) -> Asset:
    value = read_query(call.query, (Field(by, _filled),))[by]
    asset = Asset.objects.filter(**{by: value}, is_active=True).first()
    if asset is None:
        raise not_found(f"Asset with {by}={value!r} not found")
    return asset


def _key(call: Call) -> str:
    return str(read_query(call.query, (Field("key", _filled),))["key"])


def asset_get(by: str, call: Call) -> Reply:
    """One value beside an asset."""
    key = _key(call)
    text = AssetState.objects.filter(asset=_asset(call, by), key=key).values_list("value", flat=True).first()
    if text is None:
        raise not_found(f"Asset state store key {key!r} not found")
    return Reply(200, {"value": json.loads(text)})


def read_asset_value(call: Call) -> dict[str, Any]:
    """The value out of the body."""
    return read_object(call.body, _ASSET_BODY)


def asset_put(by: str, call: Call) -> Reply:
    """Keep a value beside an asset, with the task that wrote it."""
    asset_value_set(_asset(call, by).pk, _key(call), call.value["value"], writer=_writer(call), now=utcnow())
    return Reply(204)


def _writer(call: Call) -> Json:
    row = _row(call)
    names = ("dag_id", "run_id", "task_id", "map_index")
    return {"kind": "task", **{name: getattr(row, name) for name in names}}


def asset_delete(by: str, call: Call) -> Reply:
    """Forget one value beside an asset."""
    AssetState.objects.filter(asset=_asset(call, by), key=_key(call)).delete()
    return Reply(204)


def asset_clear(by: str, call: Call) -> Reply:
    """Forget all values beside an asset."""
    AssetState.objects.filter(asset=_asset(call, by)).delete()
    return Reply(204)


def _by(work: Callable[[str, Call], Reply], by: str) -> Work:
    return one_by_one(partial(work, by))


def _of_assets(by: str) -> tuple[Operation, ...]:
    value, clear = f"store/asset/by-{by}/value", f"store/asset/by-{by}/clear"
    return (
        Operation("GET", value, _by(asset_get, by), since=SINCE),
        Operation("PUT", value, _by(asset_put, by), read_asset_value, writes=True, since=SINCE),
        Operation("DELETE", value, _by(asset_delete, by), writes=True, since=SINCE),
        Operation("DELETE", clear, _by(asset_clear, by), writes=True, since=SINCE),
    )


_TI: Final = "store/ti/{task_instance_id}"

OPERATIONS: Final = (
    *_of_assets("name"),
    *_of_assets("uri"),
    Operation("GET", f"{_TI}/{{key:path}}", one_by_one(task_get), own=True, since=SINCE),
    Operation("PUT", f"{_TI}/{{key:path}}", one_by_one(task_put), read_task_value, own=True, writes=True, since=SINCE),
    Operation("DELETE", f"{_TI}/{{key:path}}", one_by_one(task_delete), own=True, writes=True, since=SINCE),
    Operation("DELETE", _TI, one_by_one(task_clear), own=True, writes=True, since=SINCE),
)
