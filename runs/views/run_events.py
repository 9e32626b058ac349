"""Decides the audit log of a run."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.events import events_page
from runs.views.run import run_or_404


@require_GET
@page()
def run_events(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponseBase:
    """Show who did what to a run."""
    context = {"run": run_or_404(dag_id, run_id)}
    return events_page(request, "runs/run_events.html", {"dag_id": dag_id, "run_id": run_id}, context)
