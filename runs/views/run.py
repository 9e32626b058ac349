"""Decides the page of a run."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.models import AttemptFields, DagRun
from runs.pages.rows import elapsed, run_find
from runs.pages.run.head import head_of
from runs.pages.run.overview import overview_of
from runs.pages.run.timeline import timeline_of


@require_GET
@page()
def run_detail(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show a run: why it failed or waits, its tasks, and when they ran."""
    run = run_or_404(dag_id, run_id)
    overview = overview_of(head_of(run, request.user), request.GET)
    shown = overview.found if overview.choice.view == "gantt" else overview.rows
    timeline = timeline_of(run, shown, overview.spec, all_tries="tries" in request.GET)
    context: dict[str, Any] = {"run": run, "overview": overview, "timeline": timeline, "may_act": overview.head.may_act}
    return render(request, "runs/run_detail.html", context)


def run_or_404(dag_id: str, run_id: str) -> DagRun:
    """Return a run, with its version but without the document of it. Raises ``Http404`` with words for people."""
    run = run_find(dag_id, run_id)
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    return run


def attempt_seconds(attempt: AttemptFields) -> float | None:
    """Return how long an attempt took, or takes until now."""
    return attempt.duration if attempt.duration is not None else elapsed(attempt.start_date, attempt.end_date)
