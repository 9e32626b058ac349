"""Decides which call of the Execution API serves a message of a task, and which message answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from orchestrator.sdk.execution.answers import Answer, Patience

Message = dict[str, Any]
OK: Message = {"type": "OKResponse", "ok": True}


def _nothing(_message: Message) -> Any:
    return None


def _ok(_message: Message, _answer: Answer) -> Message:
    return OK


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table.

    Args:
        path: with `{field}` for a field of the message, `{ti}` for the attempt's id.
        query: fields that go into the query string when they are set.
        body: makes the JSON body from the message.
        result: makes the answer for the task from a good answer of the server.
        missing: makes the answer for the task when the server says 404.
    """

    method: str
    path: str
    query: tuple[str, ...] = ()
    body: Callable[[Message], Any] = _nothing
    result: Callable[[Message, Answer], Message] = _ok
    missing: Callable[[Message], Message] | None = None
    patience: Patience = Patience.TASK

    def address(self, ti_id: str, message: Message) -> str:
        """Return path and query, relative to `/execution/`."""
        path = self.path.format_map(_Quoted(message, ti_id))
        pairs = [(name, _text(value)) for name in self.query for value in _values(message.get(name))]
        return f"{path}?{urlencode(pairs)}" if pairs else path


class _Quoted(dict[str, Any]):
    def __init__(self, message: Message, ti_id: str) -> None:
        super().__init__(message)
        self["ti"] = ti_id

    def __getitem__(self, name: str) -> str:
        return quote(str(super().__getitem__(name)), safe="")


def _values(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def error(kind: str, **detail: Any) -> Message:
    """Return an ErrorResponse as Airflow's tasks know it."""
    return {"type": "ErrorResponse", "error": kind, "detail": detail or None}


def failure(answer: Answer) -> Message:
    """Return the ErrorResponse for an answer that no row of the table explains."""
    kind = "PERMISSION_DENIED" if answer.status == 403 else "API_SERVER_ERROR"
    return error(
        kind, status_code=answer.status, message=answer.body if isinstance(answer.body, dict) else str(answer.body)[:2000]
    )


def _fields(kind: str) -> Callable[[Message, Answer], Message]:
    return lambda _message, answer: {"type": kind, **(answer.body or {})}


def _as(kind: str, name: str) -> Callable[[Message, Answer], Message]:
    return lambda _message, answer: {"type": kind, name: answer.body}


def _pick(*names: str) -> Callable[[Message], Any]:
    return lambda message: {name: message[name] for name in names if message.get(name) is not None}


def _missing(kind: str, *names: str) -> Callable[[Message], Message]:
    return lambda message: error(kind, **{name: message.get(name) for name in names})


def _xcom_count(_message: Message, answer: Answer) -> Message:
    return {"type": "XComCountResponse", "len": int(answer.headers.get("content-range", "map_indexes 0").split()[-1])}


def _events(_message: Message, answer: Answer) -> Message:
    return {"type": "AssetEventsResult", "asset_events": answer.body["asset_events"]}


_XCOM = "xcoms/{dag_id}/{run_id}/{task_id}/{key}"
_TI_FILTER = ("dag_id", "map_index", "task_ids", "task_group_id", "logical_dates", "run_ids")
_BETWEEN = ("after", "before", "ascending", "limit")
_ASSET_VALUE = {
    "result": _fields("AssetStateStoreResult"),
    "missing": _missing("ASSET_STORE_NOT_FOUND", "key"),
}


def _value(message: Message) -> Any:
    return {"value": message.get("value")}


ROUTES: dict[str, Route] = {
    "GetConnection": Route(
        "GET", "connections/{conn_id}", result=_fields("ConnectionResult"), missing=_missing("CONNECTION_NOT_FOUND", "conn_id")
    ),
    "GetVariable": Route(
        "GET", "variables/{key}", result=_fields("VariableResult"), missing=_missing("VARIABLE_NOT_FOUND", "key")
    ),
    "GetVariableKeys": Route("GET", "variables/keys", ("prefix", "limit", "offset"), result=_fields("VariableKeysResult")),
    "PutVariable": Route("PUT", "variables/{key}", body=lambda m: {"val": m.get("value"), "description": m.get("description")}),
    "DeleteVariable": Route("DELETE", "variables/{key}"),
    "GetXCom": Route(
        "GET",
        _XCOM,
        ("map_index", "include_prior_dates"),
        result=_fields("XComResult"),
        missing=lambda m: {"type": "XComResult", "key": m["key"], "value": None},
    ),
    "SetXCom": Route("POST", _XCOM, ("map_index", "dag_result", "mapped_length"), body=lambda m: m.get("value")),
    "DeleteXCom": Route("DELETE", _XCOM, ("map_index",)),
    "GetXComCount": Route(
        "HEAD", _XCOM, result=_xcom_count, missing=_missing("XCOM_NOT_FOUND", "dag_id", "run_id", "task_id", "key")
    ),
    "GetXComSequenceItem": Route(
        "GET",
        _XCOM + "/item/{offset}",
        result=_as("XComSequenceIndexResult", "root"),
        missing=_missing("XCOM_NOT_FOUND", "dag_id", "run_id", "task_id", "key", "offset"),
    ),
    "GetXComSequenceSlice": Route(
        "GET", _XCOM + "/slice", ("start", "stop", "step", "include_prior_dates"), result=_as("XComSequenceSliceResult", "root")
    ),
    "GetDag": Route("GET", "dags/{dag_id}", result=_fields("DagResult"), missing=_missing("DAG_NOT_FOUND", "dag_id")),
    "GetDagRun": Route("GET", "dag-runs/{dag_id}/{run_id}", result=_fields("DagRunResult")),
    "GetDagRunState": Route("GET", "dag-runs/{dag_id}/{run_id}/state", result=_fields("DagRunStateResult")),
    "GetPreviousDagRun": Route(
        "GET", "dag-runs/previous", ("dag_id", "logical_date", "state"), result=_as("PreviousDagRunResult", "dag_run")
    ),
    "GetPrevSuccessfulDagRun": Route(
        "GET", "task-instances/{ti}/previous-successful-dagrun", result=_fields("PrevSuccessfulDagRunResult")
    ),
    "GetDRCount": Route(
        "GET", "dag-runs/count", ("dag_id", "logical_dates", "run_ids", "states"), result=_as("DRCount", "count")
    ),
    "GetTICount": Route("GET", "task-instances/count", (*_TI_FILTER, "states"), result=_as("TICount", "count")),
    "GetTaskStates": Route("GET", "task-instances/states", _TI_FILTER, result=_fields("TaskStatesResult")),
    "GetTaskBreadcrumbs": Route(
        "GET", "task-instances/breadcrumbs", ("dag_id", "run_id"), result=_fields("TaskBreadcrumbsResult")
    ),
    "GetPreviousTI": Route(
        "GET",
        "task-instances/previous/{dag_id}/{task_id}",
        ("logical_date", "map_index", "state"),
        result=_as("PreviousTIResult", "task_instance"),
    ),
    "GetTaskRescheduleStartDate": Route(
        "GET", "task-reschedules/{ti}/start_date", ("try_number",), result=_as("TaskRescheduleStartDate", "start_date")
    ),
    "TriggerDagRun": Route(
        "POST",
        "dag-runs/{dag_id}/{run_id}",
        body=_pick("logical_date", "run_after", "conf", "reset_dag_run", "partition_key", "note"),
    ),
    "ClearDagRun": Route("POST", "dag-runs/{dag_id}/{run_id}/clear"),
    "SetRenderedFields": Route("PUT", "task-instances/{ti}/rtif", body=lambda m: m["rendered_fields"], patience=Patience.NOTE),
    "SetRenderedMapIndex": Route(
        "PATCH", "task-instances/{ti}/rendered-map-index", body=lambda m: m["rendered_map_index"], patience=Patience.NOTE
    ),
    "SkipDownstreamTasks": Route("PATCH", "task-instances/{ti}/skip-downstream", body=_pick("tasks")),
    "ValidateInletsAndOutlets": Route(
        "GET", "task-instances/{ti}/validate-inlets-and-outlets", result=_fields("InactiveAssetsResult")
    ),
    "GetAssetByName": Route(
        "GET", "assets/by-name", ("name",), result=_fields("AssetResult"), missing=_missing("ASSET_NOT_FOUND", "name")
    ),
    "GetAssetByUri": Route(
        "GET", "assets/by-uri", ("uri",), result=_fields("AssetResult"), missing=_missing("ASSET_NOT_FOUND", "uri")
    ),
    "GetAssetsByAlias": Route("GET", "assets/by-alias", ("alias_name",), result=_as("AssetsByAliasResult", "assets")),
    "GetAssetEventByAsset": Route("GET", "asset-events/by-asset", ("name", "uri", *_BETWEEN), result=_events),
    "GetAssetEventByAssetAlias": Route("GET", "asset-events/by-asset-alias", ("name", *_BETWEEN), result=_events),
    "GetTaskStateStore": Route(
        "GET", "store/ti/{ti}/{key}", result=_fields("TaskStateStoreResult"), missing=_missing("TASK_STORE_NOT_FOUND", "key")
    ),
    "SetTaskStateStore": Route(
        # Without an expiry the server's own applies; a null one means never.
        "PUT",
        "store/ti/{ti}/{key}",
        body=lambda m: {"value": m.get("value")} | ({"expires_at": m["expires_at"]} if "expires_at" in m else {}),
    ),
    "DeleteTaskStateStore": Route("DELETE", "store/ti/{ti}/{key}"),
    "ClearTaskStateStore": Route("DELETE", "store/ti/{ti}"),
    "GetAssetStateStoreByName": Route("GET", "store/asset/by-name/value", ("name", "key"), **_ASSET_VALUE),  # type: ignore[arg-type]
    "GetAssetStateStoreByUri": Route("GET", "store/asset/by-uri/value", ("uri", "key"), **_ASSET_VALUE),  # type: ignore[arg-type]
    "SetAssetStateStoreByName": Route("PUT", "store/asset/by-name/value", ("name", "key"), body=_value),
    "SetAssetStateStoreByUri": Route("PUT", "store/asset/by-uri/value", ("uri", "key"), body=_value),
    "DeleteAssetStateStoreByName": Route("DELETE", "store/asset/by-name/value", ("name", "key")),
    "DeleteAssetStateStoreByUri": Route("DELETE", "store/asset/by-uri/value", ("uri", "key")),
    "ClearAssetStateStoreByName": Route("DELETE", "store/asset/by-name/clear", ("name",)),
    "ClearAssetStateStoreByUri": Route("DELETE", "store/asset/by-uri/clear", ("uri",)),
    "CreateHITLDetailPayload": Route(
        "POST",
        "hitlDetails/{ti}",
        body=_pick("ti_id", "options", "subject", "body", "defaults", "multiple", "params", "assigned_users"),
        result=_fields("HITLDetailRequestResult"),
    ),
    "UpdateHITLDetail": Route(
        "PATCH", "hitlDetails/{ti}", body=_pick("ti_id", "chosen_options", "params_input"), result=_fields("HITLDetailResponse")
    ),
    "GetHITLDetailResponse": Route("GET", "hitlDetails/{ti}", result=_fields("HITLDetailResponse")),
}


def translate(message: Message, answer: Answer) -> Message | None:
    """Return the answer for the task; None when a second call has to follow (see `follow_up`)."""
    route = ROUTES[message["type"]]
    if answer.ok:
        return route.result(message, answer)
    if answer.status == 404 and route.missing is not None:
        return route.missing(message)
    if answer.status == 409 and message["type"] == "TriggerDagRun":
        return (
            None
            if message.get("reset_dag_run")
            else error("DAGRUN_ALREADY_EXISTS", dag_id=message["dag_id"], run_id=message["run_id"])
        )
    return failure(answer)


def follow_up(message: Message) -> Message:
    """Return the second call for a run that exists already and shall be reset: clearing it."""
    return {"type": "ClearDagRun", "dag_id": message["dag_id"], "run_id": message["run_id"]}
