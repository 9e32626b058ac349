"""Decides which API version a request speaks and what older versions do not know."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from executionapi.replies import RefusalError, unknown_path

HEADER: Final = "Airflow-API-Version"
VERSIONS: Final = (
    "2026-06-30",
    "2026-04-06",
    "2025-11-05",
    "2025-10-27",
    "2025-09-23",
    "2025-08-10",
    "2025-05-20",
    "2025-04-28",
    "2025-04-11",
)
HEAD: Final = VERSIONS[0]

# Field of the DAG run -> the version that brought it.
_RUN_FIELDS_SINCE: Final = {
    "partition_date": "2026-06-30",
    "team_name": "2026-06-30",
    "partition_key": "2026-04-06",
    "note": "2026-04-06",
    "triggering_user_name": "2025-11-05",
    "state": "2025-08-10",
}


def resolve(header: str | None) -> str:
    """The newest version that is not younger than the date asked for; the newest of all where none is asked for.

    Raises RefusalError: 404 for a date before the first version, 422 for what is no date.
    """
    if not header:
        return HEAD
    try:
        wanted = date.fromisoformat(header).isoformat()
    except ValueError:
        raise RefusalError(422, [_no_date(header)]) from None
    for version in VERSIONS:
        if version <= wanted:
            return version
    raise unknown_path()


def _no_date(header: str) -> dict[str, Any]:
    return {
        "type": "date_from_datetime_parsing",
        "loc": ["header", HEADER],
        "msg": "Input should be a valid date or datetime",
        "input": header,
    }


def dag_run_for(version: str, run: dict[str, Any] | None) -> dict[str, Any] | None:
    """The DAG run document as ``version`` knows it."""
    if run is None or version == HEAD:
        return run
    known = {name: value for name, value in run.items() if _RUN_FIELDS_SINCE.get(name, "") <= version}
    if known.get("consumed_asset_events"):
        known["consumed_asset_events"] = [_without_key(event) for event in known["consumed_asset_events"]]
    if version < "2026-04-06" and known["start_date"] is None:
        known["start_date"] = known["run_after"]
    if version < "2025-10-27" and known["conf"] is None:
        known["conf"] = {}
    return known


def asset_events_for(version: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer with events of assets as ``version`` knows it; partition keys came with 2026-04-06."""
    if version >= "2026-04-06":
        return body
    return {"asset_events": [_old_event(event) for event in body["asset_events"]]}


def _old_event(event: dict[str, Any]) -> dict[str, Any]:
    return {**_without_key(event), "created_dagruns": [_without_key(run) for run in event["created_dagruns"]]}


def _without_key(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "partition_key"}


def run_context_for(version: str, context: dict[str, Any]) -> dict[str, Any]:
    """The answer of ``/run`` as ``version`` knows it."""
    if version == HEAD:
        return context
    known = {**context, "dag_run": dag_run_for(version, context["dag_run"])}
    if version < "2026-04-06":
        known.pop("start_date", None)
        known["upstream_map_indexes"] = None
        if known.get("next_kwargs") is not None:
            known["next_kwargs"] = _tagged(known["next_kwargs"])
    return known


def _tagged(value: Any) -> Any:
    """JSON in the notation of SDKs before 1.2: a dict says that it is one. A value that has it already stays."""
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, dict) and "__type" not in value:
        return {"__type": "dict", "__var": {name: _tagged(item) for name, item in value.items()}}
    return value
