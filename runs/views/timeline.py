"""Decides the timeline of all DAGs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.kernel.clock import utcnow
from runs.pages.timeline.lanes import timeline as lanes_of
from runs.pages.timeline.window import HOURS, window_of


@require_GET
@page()
def timeline(request: HttpRequest) -> HttpResponse:
    """Show what ran when, and what the schedules will bring."""
    window = window_of(request.GET, utcnow())
    search = request.GET.get("q", "").strip()
    found = lanes_of(window, search, request.GET.get("page"))
    context = {"window": window, "lanes": found.lanes, "page": found.page, "search": search, "hours": HOURS}
    return render(request, "runs/timeline.html", context)
