"""Decides the REST operations on events of assets: list, make one by hand, those that a run has consumed."""

import re
from typing import Any

from django.db import transaction

from accounts.roles import Role
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import between, equal, matching, order_param, page_params, params
from runs.api.asset_queries import asset_or_404, attach_to_events
from runs.api.asset_schemas import EVENT
from runs.api.change_bodies import list_of
from runs.api.queries import run_or_404
from runs.assets.by_hand import event_make
from runs.assets.consumed import consumed_by
from runs.explain.asset_event import explain_event
from runs.models import AssetEvent

operations = Operations("Asset")

LIST = params(
    page_params(),
    order_param(),
    equal("asset_id", "asset_id", scalars.integer),
    equal("source_dag_id", "source_dag_id"),
    equal("source_task_id", "source_task_id"),
    equal("source_run_id", "source_run_id"),
    equal("source_map_index", "source_map_index", scalars.integer),
    matching("name", "asset__name"),
    between("timestamp", "timestamp"),
)
ORDER = ordering("source_task_id", "source_dag_id", "source_run_id", "source_map_index", "timestamp", default=["timestamp"])
LONGEST_KEY = 250


def partition_key(value: Any) -> str:
    """Take a key that is more than blanks."""
    if not re.search(r"\S", scalars.text_up_to(LONGEST_KEY)(value)):
        raise ProblemError("string_pattern_mismatch", r"String should match pattern '\S'", {"pattern": r"\S"})
    return str(value)


ACCESS = Body(
    "AssetEventAccessControl",
    {"consumer_teams": Field(list_of(scalars.text)), "allow_global": Field(scalars.switch, null=False, default=True)},
)


def _access(value: Any) -> dict[str, Any]:
    """Take who may consume the event; without teams everybody may."""
    return dict(ACCESS.read_document(value, ("body", "access_control")))


BODY = Body(
    "CreateAssetEventsBody",
    {
        "asset_id": Field(scalars.integer, required=True, null=False),
        "partition_key": Field(partition_key),
        "extra": Field(scalars.dictionary, null=False),
        "access_control": Field(_access),
    },
)


@operations.add("GET", "/assets/events", "get_asset_events", params=LIST)
def get_asset_events(call: Call) -> dict[str, Any]:
    """Return events."""
    rows = AssetEvent.objects.select_related("asset")
    return list_body(rows, call.query, params=LIST, order=ORDER, schema=EVENT, key="asset_events", attach=attach_to_events)


@operations.add("GET", "/assets/events/{event_id}/consumers", "get_asset_event_consumers", types={"event_id": scalars.integer})
def get_asset_event_consumers(call: Call) -> dict[str, Any]:
    """Return what has become of an event for each consumer: consumed by a run, waiting and why, or superseded and why."""
    event = AssetEvent.objects.filter(pk=call.path["event_id"]).first()
    if event is None:
        raise NotFoundError(f"The asset event with ID: `{call.path['event_id']}` was not found")
    found = explain_event(event)
    return {"consumers": found, "total_entries": len(found)}


@operations.add("POST", "/assets/events", "create_asset_event", role=Role.OP, body=BODY)
def create_asset_event(call: Call) -> dict[str, Any]:
    """Make an event by hand."""
    body = call.body
    asset = asset_or_404(body["asset_id"], "Asset with ID: `{}` was not found")
    # Airflow notes where an event came from only beside what the client says.
    extra = {} if body["extra"] is None else {**body["extra"], "from_rest_api": True}
    with transaction.atomic():
        event = event_make(asset, extra=extra, partition_key=body["partition_key"], actor=call.user_name, noted=body)
    attach_to_events([event])
    return EVENT.of(event)


@operations.add("GET", "/dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents", "get_upstream_asset_events")
def get_upstream_asset_events(call: Call) -> dict[str, Any]:
    """Return the events that a run has consumed."""
    run = run_or_404(call.path["dag_id"], call.path["dag_run_id"])
    events = consumed_by([run.pk]).get(run.pk, [])
    attach_to_events(events)
    return {"asset_events": [EVENT.of(event) for event in events], "total_entries": len(events)}
