"""Decides the page that looks through the logs of all runs of a DAG that were due in a window of time.

``?after=`` and ``?before=`` are the window, ``?task=`` narrows it to a task; the rest is as in the other searches of logs.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.views import page
from dags_app.models import Dag
from orchestrator.ui.addresses import page_path
from runs.pages.dag_head import spec_or_none
from runs.pages.dag_logs import has_runs, logs_in
from runs.pages.due_window import DueWindow, WindowError, fields, full_address, spans, window_of
from runs.pages.log_hits import Hits
from runs.pages.log_places import in_order
from runs.views.dag_switches import dag_with_head
from runs.views.log_search import asked_in, search_context


@require_GET
@page()
def dag_log_search(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show the lines of all tries that match, the newest run first. A search without a whole window leads to one with it."""
    dag = dag_with_head(request, dag_id)
    try:
        window = window_of(request.GET)
    except WindowError as error:
        return _refused(request, dag, error)
    if not asked_in(request):
        return _page(request, dag, window, search_context(request, in_order(())))
    address = full_address(request.GET, window).urlencode()
    if address != request.GET.urlencode():
        return redirect(f"{page_path(request)}?{address}")
    return _page(request, dag, window, _found(request, dag, window))


def _found(request: HttpRequest, dag: Dag, window: DueWindow) -> dict[str, Any]:
    logs = logs_in(dag.pk, window, _task(request), request.GET.get("from", ""))
    return search_context(request, logs) | {"has_runs": bool(logs.rows) or has_runs(dag.pk, window)}


def _refused(request: HttpRequest, dag: Dag, error: WindowError) -> HttpResponse:
    context = search_context(request, in_order(())) | {"hits": Hits(error=str(error)), "wrong": error.field}
    return _page(request, dag, None, context, status=400)


def _page(request: HttpRequest, dag: Dag, window: DueWindow | None, context: dict[str, Any], status: int = 200) -> HttpResponse:
    spec = spec_or_none(dag)
    context |= {"dag": dag, "task": _task(request), "tasks": [task.task_id for task in spec.tasks] if spec else []}
    context |= {"window": window, "fields": fields(request.GET, window), "spans": spans(request.GET)}
    return render(request, "runs/dag_log_search.html", context, status=status)


def _task(request: HttpRequest) -> str:
    return request.GET.get("task", "").strip()
