"""Decides our own REST operations on bulk actions: count, order, read with progress, cancel (C13-a, C13-b)."""

from __future__ import annotations

from typing import Any

from accounts.roles import Role
from accounts.services import masked
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.answers import json_response
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import between, one_of, order_param, page_params, params, states
from orchestrator.rest.schemas import Schema
from runs.bulk.kinds import Target, items_of
from runs.bulk.ordering import bulk_cancel_for, bulk_order_for
from runs.bulk.progress import expected_end, share_done
from runs.bulk.requests import Order, read_order
from runs.bulk.selection import foreseen, missing
from runs.bulk.services import NotOpenError
from runs.models import BulkAction, BulkFailure

operations = Operations("Bulk Action")

MOST_NAMED = 10_000
_ONE = "/bulkActions/{bulk_action_id}"
_TYPES = {"bulk_action_id": scalars.integer}

_DAG = {"dag_id": Field(scalars.text, required=True, null=False)}
_RUN = {**_DAG, "dag_run_id": Field(scalars.text, required=True, null=False)}
_TASK = {
    "task_id": Field(scalars.text, required=True, null=False),
    "map_index": Field(scalars.at_least(-1), null=False, default=-1),
}
_ITEMS = {
    Target.DAGS: Body("DagItem", _DAG),
    Target.DAG_RUNS: Body("RunItem", _RUN),
    Target.TASK_INSTANCES: Body("TaskInstanceItem", {**_RUN, **_TASK}),
}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ProblemError("list_type", "Input should be a valid list")
    if not 0 < len(value) <= MOST_NAMED:
        raise ProblemError("value_error", f"Value error, name 1 to {MOST_NAMED} items, or choose them by filters", {"error": {}})
    return value


ORDER = Body(
    "BulkActionBody",
    {
        "target": Field(scalars.choice(*Target), required=True, null=False),
        "kind": Field(scalars.text, required=True, null=False),
        "filters": Field(scalars.dictionary),
        "items": Field(_list),
        "options": Field(scalars.dictionary),
        "reason": Field(scalars.text_up_to(1000)),
        "dry_run": Field(scalars.switch, null=False, default=True),
    },
)
ACTION = Schema(
    "BulkActionResponse",
    *("id", "kind", "target", "selection", "actor", "reason", "request_id", "state", "error"),
    *("total", "done", "changed", "unchanged", "failed", "created_at", "started_at", "ended_at"),
    options=lambda row: masked(row.options),
    is_counted="is_frozen",
    items=lambda row: items_of(row.target, row.kind).value,
    progress=share_done,
    expected_end=lambda row: expected_end(row, utcnow()),
)
FAILURE = Schema(
    "BulkFailureResponse", "dag_id", "map_index", "error", "at", dag_run_id="run_id", task_id=lambda r: r.task_id or None
)
LIST = params(
    page_params(),
    order_param(),
    states("state", "state", tuple(BulkAction.State), "state"),
    one_of("kind", "kind"),
    one_of("target", "target"),
    one_of("actor", "actor"),
    between("created_at", "created_at"),
)
FAILURES = params(page_params(), order_param())
NEWEST_FIRST = ordering("id", "state", "kind", "actor", "created_at", "ended_at", default=["-id"])
_IN_ORDER = ordering("id", "dag_id", "task_id", "map_index", default=["id"], dag_run_id="run_id")


@operations.add("POST", "/bulkActions", "create_bulk_action", role=Role.USER, body=ORDER)
def create_bulk_action(call: Call) -> Any:
    """Order an action on everything that filters choose, or on named items; a dry run (the default) counts it by state."""
    order = _order(call)
    if call.body["dry_run"]:
        found = foreseen(order)
        return {"dry_run": True, "total_entries": found.total, "by_state": found.by_state, "dag_runs": found.runs}
    sent = {name: call.body[name] for name in call.body.given} | {"options": order.options}
    if call.body["items"] is not None:
        sent["items"] = len(call.body["items"])  # the action itself keeps them
    action = bulk_order_for(call.request.user, order, sent, door=call.door, reason=call.body["reason"] or "")
    return json_response(ACTION.of(action), 202)


@operations.add("GET", "/bulkActions", "get_bulk_actions", params=LIST)
def get_bulk_actions(call: Call) -> dict[str, Any]:
    """Return the actions, newest first; where rules limit somebody, his own."""
    rows = BulkAction.objects.all()
    return list_body(rows, call.query, params=LIST, order=NEWEST_FIRST, schema=ACTION, key="bulk_actions")


@operations.add("GET", _ONE, "get_bulk_action", types=_TYPES)
def get_bulk_action(call: Call) -> dict[str, Any]:
    """Return one action with its progress."""
    return ACTION.of(_found(call))


@operations.add("POST", f"{_ONE}/cancel", "cancel_bulk_action", role=Role.USER, types=_TYPES)
def cancel_bulk_action(call: Call) -> dict[str, Any]:
    """Begin nothing more of an action; what is done stays done."""
    try:
        return ACTION.of(bulk_cancel_for(call.request.user, _found(call)))
    except NotOpenError as error:
        raise RestError(409, str(error)) from error


@operations.add("GET", f"{_ONE}/failures", "get_bulk_action_failures", params=FAILURES, types=_TYPES)
def get_bulk_action_failures(call: Call) -> dict[str, Any]:
    """Return the items that could not be done, with the reason of each; the first thousand are kept."""
    rows = BulkFailure.objects.filter(action=_found(call))
    return list_body(rows, call.query, params=FAILURES, order=_IN_ORDER, schema=FAILURE, key="failures")


def _order(call: Call) -> Order:
    body, items = call.body, call.body["items"]
    if items is not None:
        shape = _ITEMS[Target(body["target"])]
        items = [dict(shape.read_document(item, ("body", "items", number))) for number, item in enumerate(items)]
    order = read_order(body["target"], body["kind"], body["filters"], items, body["options"])
    if unknown := missing(order):
        raise NotFoundError(f"There is no such item: {', '.join(unknown)}")
    return order


def _found(call: Call) -> BulkAction:
    found = BulkAction.objects.filter(pk=call.path["bulk_action_id"]).first()
    if found is None:
        raise NotFoundError(f"The bulk action with id: `{call.path['bulk_action_id']}` was not found")
    return found
