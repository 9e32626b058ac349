"""Decides the page of a run."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.models import AttemptFields
from runs.pages.rows import elapsed, run_counts, run_find, run_tasks


@require_GET
@page()
def run_detail(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show a run and its task instances."""
    run = run_find(dag_id, run_id)
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    context: dict[str, Any] = {"run": run, "duration": elapsed(run.start_date, run.end_date), "counts": run_counts(run)}
    context["tasks"] = [(ti, attempt_seconds(ti)) for ti in run_tasks(run)]
    return render(request, "runs/run_detail.html", context)


def attempt_seconds(attempt: AttemptFields) -> float | None:
    """Return how long an attempt took, or takes until now."""
    return attempt.duration if attempt.duration is not None else elapsed(attempt.start_date, attempt.end_date)
