"""Decides how workers write, delete and read the values that tasks pass on."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from executionapi.calls import Call, Operation, one_by_one
from executionapi.fields import MISSING, Field, boolean, integer, optional, read_query
from executionapi.operations.attempts import missing_or_gone, own_rows
from executionapi.replies import RefusalError, Reply, not_found, refusal
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.execution import xcom_objects
from runs.models import DagRun, TaskInstance, XCom
from runs.services_xcom import XComValue, xcom_delete, xcom_set, xcom_text

# Most bytes of a value that a client sends whole, whatever the option says: it passes through this server's memory.
IN_DATABASE: Final = 16 << 20

_INDEX = Field("map_index", integer, required=False, default=-1)
_PRIOR = Field("include_prior_dates", boolean, required=False, default=False)
_SET: Final = (
    _INDEX,
    Field("dag_result", boolean, required=False, default=False),
    Field("mapped_length", optional(integer), required=False),
)
_GET: Final = (_INDEX, _PRIOR, Field("offset", optional(integer), required=False))
_HEAD: Final = (Field("map_index", optional(integer), required=False),)
_SLICE: Final = (
    Field("start", optional(integer), required=False),
    Field("stop", optional(integer), required=False),
    Field("step", optional(integer), required=False),
    _PRIOR,
)


# ------------------------------------------------------------------------------------------------ writes


def read_set(call: Call) -> dict[str, Any]:
    """Query and value of a new XCom. Raises RefusalError 400 for too long a mapping, 413 for too large a value."""
    found = read_query(call.query, _SET)
    longest = conf.get("core", "max_map_length")
    if found["mapped_length"] is not None and found["mapped_length"] > longest:
        raise refusal(
            400,
            "unmappable_return_value_length",
            f"The value has {found['mapped_length']} items; a task maps over at most {longest} ([core] max_map_length)",
        )
    found["value"] = None if call.body is MISSING else call.body
    found["reference"] = _reference(call, found)
    _check_size(call.args["key"], found["value"])
    return found


def _reference(call: Call, found: dict[str, Any]) -> dict[str, Any] | None:
    """Where a large value is, None for a value in the body. Raises RefusalError for a place that is not this XCom's own."""
    value = found["value"]
    if not isinstance(value, dict) or value.get("__classname__") != xcom_objects.MARK:
        return None
    reference, args = xcom_objects.reference_in(value), call.args
    folder = xcom_objects.folder_of(args["dag_id"], args["run_id"], args["task_id"], found["map_index"], args["key"])
    if reference is None or not xcom_objects.is_within(reference["location"], folder):
        raise refusal(400, "invalid_request", f"The reference of the XCom {args['key']!r} names no file in {folder}")
    path = f"{xcom_objects.store_path()}/{reference['location']}"
    if "://" not in path and not os.path.isfile(path):
        raise refusal(
            400,
            "xcom_object_missing",
            f"The worker wrote the XCom {args['key']!r} ({reference['size']} bytes) to its own disk: this server has no {path}. "
            "Set [core] xcom_store_path to a place that all machines share.",
        )
    return reference


def _check_size(key: str, value: Any) -> None:
    limit = min(conf.get("workers", "xcom_max_bytes"), IN_DATABASE)
    # A JSON text has at most six bytes per character plus quotes, so most values need no measuring.
    if value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) * 6 + 2 <= limit):
        return
    size = len(xcom_text(value).encode())
    if size > limit:
        raise refusal(
            413,
            "xcom_too_large",
            f"The XCom {key!r} has {size} bytes; the most is {limit} ([workers] xcom_max_bytes). Pass a reference to the "
            "data, or use an XCom backend that keeps large values outside the database.",
        )


def set_many(calls: list[Call]) -> list[Reply]:
    """Write all values at once; a value of an attempt that was taken away is refused."""
    own = own_rows(calls)
    runs = _other_runs(calls, own)
    values, replies = [], []
    for call in calls:
        try:
            run_pk = _run_of(call, own, runs)
        except RefusalError as refused:
            replies.append(refused.reply)
            continue
        values.append(_value(call, run_pk))
        replies.append(Reply(201, {"message": "XCom successfully set"}))
    xcom_set(values, now=utcnow())
    return replies


def _value(call: Call, run_pk: int) -> XComValue:
    args, reference = call.args, call.value["reference"]
    return XComValue(
        dag_run_id=run_pk,
        dag_id=args["dag_id"],
        run_id=args["run_id"],
        task_id=args["task_id"],
        map_index=call.value["map_index"],
        key=args["key"],
        value=call.value["value"],
        mapped_length=call.value["mapped_length"],
        location=reference["location"] if reference else "",
        size=reference["size"] if reference else None,
        is_dag_result=call.value["dag_result"],
    )


def _other_runs(calls: list[Call], own: dict[Any, TaskInstance]) -> dict[tuple[str, str], int]:
    """The runs that are not the asking attempt's own; no query where all are."""
    mine = {(row.dag_id, row.run_id) for row in own.values()}
    asked = {(call.args["dag_id"], call.args["run_id"]) for call in calls} - mine
    if not asked:
        return {}
    rows = DagRun.objects.filter(dag_id__in={d for d, _ in asked}, run_id__in={r for _, r in asked})
    return {(dag_id, run_id): pk for pk, dag_id, run_id in rows.values_list("pk", "dag_id", "run_id")}


def _run_of(call: Call, own: dict[Any, TaskInstance], runs: dict[tuple[str, str], int]) -> int:
    row = own.get(call.ti_id)
    if row is None:
        raise missing_or_gone(call.ti_id)
    if call.dispatch_id is not None and row.dispatch_id != call.dispatch_id:
        raise refusal(409, "stale_dispatch", "Another hand-over has the task instance now; this one may not write XComs")
    wanted = (call.args["dag_id"], call.args["run_id"])
    run_pk = row.dag_run_id if wanted == (row.dag_id, row.run_id) else runs.get(wanted)
    if run_pk is None:
        raise RefusalError(404, f"Dag run with dag_id {wanted[0]!r} and run_id {wanted[1]!r} was not found")
    return run_pk


def delete(call: Call) -> Reply:
    """Delete one value; one that is not there counts as deleted."""
    own = own_rows([call])
    run_pk = _run_of(call, own, _other_runs([call], own))
    xcom_delete(run_pk, call.args["task_id"], call.args["key"], read_query(call.query, (_INDEX,))["map_index"])
    return Reply(200, {"message": f"XCom with key: {call.args['key']} successfully deleted."})


# ------------------------------------------------------------------------------------------------ reads


def _found(call: Call, *, prior: bool = False) -> QuerySet[XCom]:
    args = call.args
    rows = XCom.objects.filter(dag_id=args["dag_id"], task_id=args["task_id"], key=args["key"])
    if not prior:
        return rows.filter(run_id=args["run_id"])
    run = DagRun.objects.filter(dag_id=args["dag_id"], run_id=args["run_id"]).only("logical_date", "run_after").first()
    if run is None:
        return rows.none()
    dated = rows.annotate(run_date=Coalesce("dag_run__logical_date", "dag_run__run_after"))
    return dated.filter(run_date__lte=run.logical_date or run.run_after).order_by(
        F("dag_run__logical_date").desc(nulls_first=True), "-timestamp"
    )


def _missing(call: Call, what: str) -> RefusalError:
    args = call.args
    place = f"task {args['task_id']!r} in DAG run {args['run_id']!r} of {args['dag_id']!r}"
    return not_found(f"XCom with key={args['key']!r} {what} not found for {place}")


def get(call: Call) -> Reply:
    """One value: of a map index, or the n-th of all in the order of map indexes."""
    wanted = read_query(call.query, _GET)
    rows, offset = _found(call, prior=wanted["include_prior_dates"]), wanted["offset"]
    if offset is None:
        value = rows.filter(map_index=wanted["map_index"]).values_list("value", flat=True).first()
        what = f"map_index={wanted['map_index']}"
    else:
        value, what = _at(rows, offset), f"offset={offset}"
    if value is None:
        raise _missing(call, what)
    return Reply(200, {"key": call.args["key"], "value": json.loads(value)})


def _at(rows: QuerySet[XCom], offset: int) -> str | None:
    ordered = rows.order_by("map_index") if offset >= 0 else rows.order_by("-map_index")
    position = offset if offset >= 0 else -1 - offset
    found: list[str | None] = list(ordered.values_list("value", flat=True)[position : position + 1])
    return found[0] if found else None


def item(call: Call) -> Reply:
    """The n-th value of a mapped task; negative counts from the end."""
    try:
        offset = int(call.args["offset"])
    except ValueError:
        message = "Input should be a valid integer, unable to parse string as an integer"
        error = {"type": "int_parsing", "loc": ["path", "offset"], "msg": message, "input": call.args["offset"]}
        raise RefusalError(422, [error]) from None
    value = _at(_found(call), offset)
    if value is None:
        raise _missing(call, f"offset={offset}")
    return Reply(200, json.loads(value))


def part(call: Call) -> Reply:
    """Some values of a mapped task, chosen as a Python slice of all in the order of map indexes."""
    wanted = read_query(call.query, _SLICE)
    if wanted["step"] == 0:
        raise refusal(400, "invalid_request", "The step of a slice cannot be 0")
    rows = _found(call, prior=wanted["include_prior_dates"]).order_by("map_index")
    ids = list(rows.values_list("pk", flat=True))[slice(wanted["start"], wanted["stop"], wanted["step"])]
    values = dict(XCom.objects.filter(pk__in=ids).values_list("pk", "value"))
    return Reply(200, [json.loads(values[pk] or "null") for pk in ids if pk in values])


def count(call: Call) -> Reply:
    """How many values a mapped task has, in the header ``Content-Range``."""
    if read_query(call.query, _HEAD)["map_index"] is not None:
        raise refusal(400, "invalid_request", "A HEAD request counts all map indexes and takes no map_index")
    return Reply(200, None, {"Content-Range": f"map_indexes {_found(call).count()}"})


_XCOM = "xcoms/{dag_id}/{run_id}/{task_id}/{key:path}"

OPERATIONS: Final = (
    Operation("GET", f"{_XCOM}/item/{{offset}}", one_by_one(item)),
    Operation("GET", f"{_XCOM}/slice", one_by_one(part)),
    Operation("HEAD", _XCOM, one_by_one(count)),
    Operation("GET", _XCOM, one_by_one(get)),
    Operation("POST", _XCOM, set_many, read_set, writes=True),
    Operation("DELETE", _XCOM, one_by_one(delete), writes=True),
)
