"""Decides the page of a run."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.models import AttemptFields, DagRun
from runs.pages.rows import elapsed, run_find
from runs.pages.run.closed_groups import are_closed, closed, on_path
from runs.pages.run.head import head_of
from runs.pages.run.overview import Overview, overview_of
from runs.pages.run.timeline import Timeline, critical_path, timeline_of


@require_GET
@page()
def run_detail(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show a run: why it failed or waits, its tasks, and when they ran."""
    run = run_or_404(dag_id, run_id)
    overview = overview_of(head_of(run, request.user), request.GET)
    timeline = _timeline(run, overview, request.GET)
    context: dict[str, Any] = {"run": run, "overview": overview, "timeline": timeline, "may_act": overview.head.may_act}
    return render(request, "runs/run_detail.html", context)


def _timeline(run: DagRun, overview: Overview, query: QueryDict) -> Timeline | None:
    """The bars of the rows that the page shows; those of a chart may be of groups."""
    rows, group, all_tries = overview.found, overview.choice.group, "tries" in query
    path = critical_path(overview.all_rows, overview.spec)
    if overview.choice.view != "gantt":
        return timeline_of(run, overview.rows, path, all_tries=all_tries)
    is_closed = are_closed(rows, query.get("groups", ""), group)
    shown = closed(run, rows, group) if is_closed else rows
    path_shown = on_path(rows, path, group) if is_closed else path
    return timeline_of(run, shown, path_shown, all_tries=all_tries, are_closed=is_closed)


def run_or_404(dag_id: str, run_id: str) -> DagRun:
    """Return a run, with its version but without the document of it. Raises ``Http404`` with words for people."""
    run = run_find(dag_id, run_id)
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    return run


def attempt_seconds(attempt: AttemptFields) -> float | None:
    """Return how long an attempt took, or takes until now."""
    return attempt.duration if attempt.duration is not None else elapsed(attempt.start_date, attempt.end_date)
