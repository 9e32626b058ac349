"""Decides what workers read about assets: the assets themselves, their events, and which of their own are inactive."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from dags_app.models import Asset, AssetAlias
from executionapi.calls import Call, Operation, one_by_one
from executionapi.documents import asset_document, asset_event_document
from executionapi.fields import Field, boolean, instant, integer, optional, read_query, text
from executionapi.operations.attempts import own_rows
from executionapi.replies import RefusalError, Reply, attempt_not_found, not_found
from executionapi.versions import asset_events_for
from runs.assets.consumed import runs_created_by
from runs.assets.successes import profile_of
from runs.models import AssetEvent, TaskInstance
from runs.task_specs import tasks_of

_RANGE: Final = (
    Field("after", optional(instant), required=False),
    Field("before", optional(instant), required=False),
    Field("ascending", boolean, required=False, default=True),
    Field("limit", optional(integer), required=False),
)
# Airflow wants both names to be there, and takes an empty one for none.
_BY_ASSET: Final = (Field("name", text), Field("uri", text), *_RANGE)
_BY_ALIAS: Final = (Field("name", text), *_RANGE)


def by_asset(call: Call) -> Reply:
    """Events of the asset with this name and URI; with one of the two, of the active asset that has it."""
    missing = {name: [""] for name in ("name", "uri") if name not in call.query}
    if len(missing) == 2:
        read_query(call.query, _BY_ASSET)
    wanted = read_query(call.query | missing, _BY_ASSET)
    name, uri = wanted["name"], wanted["uri"]
    if not name and not uri:
        raise RefusalError(400, {"reason": "Missing parameter", "message": "name and uri cannot both be None"})
    chosen = {"name": name} if name else {}
    chosen |= {"uri": uri} if uri else {}
    only_active = {} if name and uri else {"is_active": True}
    assets = Asset.objects.filter(**chosen, **only_active)
    return _events(AssetEvent.objects.filter(asset__in=assets), wanted)


def by_alias(call: Call) -> Reply:
    """Events that came through an alias."""
    wanted = read_query(call.query, _BY_ALIAS)
    return _events(AssetEvent.objects.filter(aliases__name=wanted["name"]), wanted)


def _events(rows: QuerySet[AssetEvent], wanted: dict[str, Any]) -> Reply:
    if wanted["after"]:
        rows = rows.filter(timestamp__gte=wanted["after"])
    if wanted["before"]:
        rows = rows.filter(timestamp__lte=wanted["before"])
    order = ("timestamp", "pk") if wanted["ascending"] else ("-timestamp", "-pk")
    chosen = rows.select_related("asset").order_by(*order)
    events = list(chosen[: wanted["limit"]] if wanted["limit"] and wanted["limit"] > 0 else chosen)
    created = runs_created_by([event.pk for event in events])
    return Reply(200, {"asset_events": [asset_event_document(event, created.get(event.pk, [])) for event in events]})


def by_name(call: Call) -> Reply:
    """The active asset with a name."""
    name = read_query(call.query, (Field("name", text),))["name"]
    return _asset(Asset.objects.filter(name=name, is_active=True).first(), f"Asset with name {name} not found")


def by_uri(call: Call) -> Reply:
    """The active asset with a URI."""
    uri = read_query(call.query, (Field("uri", text),))["uri"]
    return _asset(Asset.objects.filter(uri=uri, is_active=True).first(), f"Asset with URI {uri} not found")


def behind_alias(call: Call) -> Reply:
    """The assets that an alias has stood for so far."""
    name = read_query(call.query, (Field("alias_name", text),))["alias_name"]
    alias = AssetAlias.objects.filter(name=name).prefetch_related("assets").first()
    return Reply(200, [asset_document(asset) for asset in alias.assets.all()] if alias else [])


def _asset(asset: Asset | None, message: str) -> Reply:
    if asset is None:
        raise not_found(message)
    return Reply(200, asset_document(asset))


def inactive(call: Call) -> Reply:
    """The inlets and outlets of the attempt that are not active: no DAG declares them, or another asset has their name."""
    row = TaskInstance.objects.filter(pk=call.ti_id).first()
    if row is None or call.ti_id not in own_rows([call]):
        raise attempt_not_found(call.ti_id)
    task = tasks_of([row]).get((row.dag_version_id, row.task_id))
    ports = [*task.inlets, *task.outlets] if task is not None else []
    profiles = {(p["name"], p["uri"]): p for p in map(profile_of, ports) if p["type"] == "Asset"}
    if not profiles:
        return Reply(200, {"inactive_assets": []})
    known = Asset.objects.filter(name__in=[name for name, _ in profiles], is_active=True)
    active = set(known.values_list("name", "uri"))
    return Reply(200, {"inactive_assets": [profile for key, profile in sorted(profiles.items()) if key not in active]})


OPERATIONS: Final = (
    Operation("GET", "asset-events/by-asset", one_by_one(by_asset), shape=asset_events_for),
    Operation("GET", "asset-events/by-asset-alias", one_by_one(by_alias), shape=asset_events_for),
    Operation("GET", "assets/by-name", one_by_one(by_name)),
    Operation("GET", "assets/by-uri", one_by_one(by_uri)),
    Operation("GET", "assets/by-alias", one_by_one(behind_alias), since="2026-06-30"),
    Operation("GET", "task-instances/{task_instance_id}/validate-inlets-and-outlets", one_by_one(inactive), own=True),
)
