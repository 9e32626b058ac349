"""Decides the pages about assets: the list, one asset with its events, what became of an event, and the lineage."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import access_of
from accounts.roles import Role
from accounts.views import page
from dags_app.models import Asset, AssetReference
from orchestrator.rest.errors import RestError
from orchestrator.ui.csv_export import csv_response
from orchestrator.ui.list_page import list_page
from orchestrator.ui.lists import list_view
from runs.api.asset_queries import assets, attach_to_events
from runs.explain.asset_event import explain_event
from runs.models import AssetEvent, AssetState
from runs.pages.asset_rows import ASSETS, EVENTS, attach
from runs.pages.freshness import WIDTH, freshness_of
from runs.pages.graph import DEPTHS, SCOPES, read_asked
from runs.pages.lineage import lineage, lineage_of
from runs.pages.queues import queues_of
from runs.views.dag_switches import dag_with_head

VALUES_SHOWN = 100
LONGEST_VALUE = 2000


def asset_or_404(asset_id: int) -> Asset:
    """Return an asset. Raises ``Http404`` with words for people."""
    found: Asset | None = assets().filter(pk=asset_id).first()
    if found is None:
        raise Http404(f"There is no asset {asset_id}")
    return found


def may_administer(request: HttpRequest) -> bool:
    """Return whether the person is offered what the REST API asks the role Op for."""
    best = access_of(request.user).best()
    return best is not None and best >= Role.OP


@require_GET
@page()
def asset_list(request: HttpRequest) -> HttpResponseBase:
    """List assets with who writes, reads and awaits them."""
    return list_page(request, "runs/asset_list.html", ASSETS, assets(), attach=attach)


@require_GET
@page()
def dag_assets(request: HttpRequest, dag_id: str) -> HttpResponseBase:
    """List the assets that a DAG names: in its schedule, or as what its tasks write or read."""
    dag = dag_with_head(request, dag_id)
    named = assets().filter(pk__in=AssetReference.objects.filter(dag=dag).values("asset"))
    return list_page(request, "runs/dag_assets.html", ASSETS, named, attach=attach, context={"dag": dag})


@require_GET
@page()
def asset_detail(request: HttpRequest, asset_id: int) -> HttpResponseBase:
    """Show one asset: how fresh it is, its events with what they started, what waits, what is kept beside it, its lineage."""
    asset = asset_or_404(asset_id)
    rows = AssetEvent.objects.filter(asset=asset).select_related("asset")
    if request.GET.get("format") == "csv":
        try:
            return csv_response(request, EVENTS, rows, attach_to_events)
        except RestError:
            pass  # The page says what is wrong.
    attach([asset])
    events = list_view(request, EVENTS, rows, _attach_events)
    drawn = lineage_of(asset)
    context = {
        **{
            "asset": asset,
            "list": events,
            "may_administer": may_administer(request),
        },
        **{"graph": drawn, "document": drawn.drawing.document, "fresh": freshness_of(asset_id), "width": WIDTH},
        **{"queues": queues_of(asset), "values": _values(asset), "may_administer": may_administer(request)},
    }
    return render(request, "runs/asset_detail.html", context, status=400 if events.error else 200)


def _attach_events(rows: Any) -> None:
    attach_to_events(rows)
    for row in rows:
        row.extra_text = json.dumps(row.extra, ensure_ascii=False) if row.extra else ""


def _values(asset: Asset) -> list[dict[str, Any]]:
    rows = AssetState.objects.filter(asset=asset).order_by("key")[:VALUES_SHOWN]
    return [
        {"key": row.key, "value": row.value[:LONGEST_VALUE], "at": row.updated_at, "writer": row.writer or {}} for row in rows
    ]


@require_GET
@page()
def asset_event(request: HttpRequest, asset_id: int, event_id: int) -> HttpResponse:
    """Say for each consumer what has become of an event: a run has it, or why it waits or is over."""
    event = AssetEvent.objects.select_related("asset").filter(pk=event_id, asset=asset_id).first()
    if event is None:
        raise Http404(f"Asset {asset_id} has no event {event_id}")
    extra = json.dumps(event.extra, indent=2, ensure_ascii=False) if event.extra else ""
    fates = [{**fate, "since": datetime.fromisoformat(fate["since"])} for fate in explain_event(event)]
    return render(request, "runs/asset_event.html", {"event": event, "fates": fates, "extra": extra})


@require_GET
@page()
def asset_graph(request: HttpRequest) -> HttpResponse:
    """Draw which DAGs write which assets, and which they start."""
    return _graph(request, with_links=False)


@require_GET
@page()
def dependencies(request: HttpRequest) -> HttpResponse:
    """Draw the same with the tasks that trigger other DAGs or wait for them."""
    return _graph(request, with_links=True)


def _graph(request: HttpRequest, *, with_links: bool) -> HttpResponse:
    asked = read_asked(request.GET)
    found = lineage(asked, with_links=with_links)
    if request.GET.get("fragment") == "json":
        return JsonResponse(found.drawing.document)
    context = {"graph": found, "document": found.drawing.document, "asked": asked, "with_links": with_links}
    return render(request, "runs/asset_graph.html", {**context, "scopes": SCOPES, "depths": DEPTHS})
