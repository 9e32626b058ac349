"""Decides the REST operations on events that wait for a DAG: one entry per DAG and asset, as in Airflow."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.roles import Role
from orchestrator.rest import scalars
from orchestrator.rest.errors import NotFoundError, ProblemError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from runs.assets.by_hand import queue_empty, queue_entries, queued
from runs.models import AssetDelivery

operations = Operations("Asset")

BEFORE = params(Param("before"))
ID = {"asset_id": scalars.integer}
_OF_DAG, _OF_ASSET = "/dags/{dag_id}/assets/queuedEvents", "/assets/{asset_id}/queuedEvents"
_OF_BOTH = "/dags/{dag_id}/assets/{asset_id}/queuedEvents"


@operations.add("GET", _OF_ASSET, "get_asset_queued_events", params=BEFORE, types=ID)
def get_asset_queued_events(call: Call) -> dict[str, Any]:
    """Return what waits of one asset, for every DAG."""
    return _body(call)


@operations.add("GET", _OF_DAG, "get_dag_asset_queued_events", params=BEFORE)
def get_dag_asset_queued_events(call: Call) -> dict[str, Any]:
    """Return what waits for one DAG."""
    return _body(call)


@operations.add("GET", _OF_BOTH, "get_dag_asset_queued_event", params=BEFORE, types=ID)
def get_dag_asset_queued_event(call: Call) -> dict[str, Any]:
    """Return what waits of one asset for one DAG."""
    found = _entries(call)
    if not found:
        raise NotFoundError(_missing(call))
    return found[0]


@operations.add("DELETE", _OF_ASSET, "delete_asset_queued_events", role=Role.OP, params=BEFORE, types=ID, status=204)
def delete_asset_queued_events(call: Call) -> None:
    """Take all events of an asset out of the queues."""
    _delete(call, f"Queue event with asset_id: `{call.path['asset_id']}` was not found")


@operations.add("DELETE", _OF_DAG, "delete_dag_asset_queued_events", role=Role.OP, params=BEFORE, status=204)
def delete_dag_asset_queued_events(call: Call) -> None:
    """Take all events out of the queue of a DAG."""
    _delete(call, f"Queue event with dag_id: `{call.path['dag_id']}` was not found")


@operations.add("DELETE", _OF_BOTH, "delete_dag_asset_queued_event", role=Role.OP, params=BEFORE, types=ID, status=204)
def delete_dag_asset_queued_event(call: Call) -> None:
    """Take the events of one asset out of the queue of a DAG."""
    _delete(call, _missing(call))


def _missing(call: Call) -> str:
    path = call.path
    return f"Queued event with dag_id: `{path['dag_id']}` and asset_id: `{path['asset_id']}` was not found"


def _rows(call: Call) -> QuerySet[AssetDelivery]:
    chosen = {name: call.path[name] for name in ("dag_id", "asset_id") if name in call.path}
    return queued(_before(call.query["before"]), **chosen)


def _before(text: str | None) -> datetime | None:
    """Return the moment. Raises ``RestError`` with 400 and not with 422, as Airflow does for this one parameter."""
    try:
        return scalars.instant(text) if text is not None else None
    except ProblemError as problem:
        raise RestError(400, f"Invalid datetime: {text!r}. Please check the date parameter have this value.") from problem


def _entries(call: Call) -> list[dict[str, Any]]:
    return queue_entries(_rows(call))


def _body(call: Call) -> dict[str, Any]:
    found = _entries(call)
    return {"queued_events": found, "total_entries": len(found)}


def _delete(call: Call, missing: str) -> None:
    dag_id = {"dag_id": call.path["dag_id"]} if "dag_id" in call.path else {}
    with transaction.atomic():
        if not queue_empty(_rows(call), actor=call.user_name, noted={**call.path, **call.query}, **dag_id):
            raise NotFoundError(missing)
