"""Decides the audit log of a DAG."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.events import events_page
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def dag_events(request: HttpRequest, dag_id: str) -> HttpResponseBase:
    """List what people, programs and the platform did to a DAG, its runs and its tasks."""
    return events_page(request, "runs/dag_events.html", {"dag_id": dag_id}, {"dag": dag_with_head(request, dag_id)})
