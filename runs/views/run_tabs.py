"""Decides the tabs of a run beside its overview: details, code, asset events."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.run.asset_events import asset_events_of
from runs.pages.run.code import code_of
from runs.pages.run.details import details_of
from runs.pages.run.head import head_of
from runs.views.run import run_or_404


@require_GET
@page()
def run_details(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show every field of a run."""
    run = run_or_404(dag_id, run_id)
    return render(request, "runs/run_details.html", {"run": run, "details": details_of(head_of(run, request.user))})


@require_GET
@page()
def run_code(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show the code that a run uses."""
    run = run_or_404(dag_id, run_id)
    found = code_of(head_of(run, request.user), request.GET.get("version", ""))
    return render(request, "runs/run_code.html", {"run": run, "code": found})


@require_GET
@page()
def run_asset_events(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show the asset events that a run took and made."""
    run = run_or_404(dag_id, run_id)
    return render(request, "runs/run_asset_events.html", {"run": run, "events": asset_events_of(run)})
