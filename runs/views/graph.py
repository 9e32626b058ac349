"""Decides the pages that draw a DAG and a run as a graph; the same address gives the data alone to the script that draws."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.dags.newest import newest_of
from runs.pages.graph import DEPTHS, SCOPES, GraphPage, dag_graph_page, read_asked, run_graph_page, states_of, versions_of
from runs.pages.rows import run_find
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def dag_graph(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Draw a DAG; ``?focus=`` draws what is around a task or group, ``?outside`` also assets and other DAGs."""
    dag = dag_with_head(request, dag_id)
    asked = read_asked(request.GET)
    found = dag_graph_page(dag, asked)
    if request.GET.get("fragment") == "json":
        return JsonResponse(found.drawing.document)
    runs = newest_of(dag_id)
    context = {"dag": dag, "versions": versions_of(dag), "runs": runs, "asked": asked}
    return _show(request, "runs/dag_graph.html", found, context)


@require_GET
@page()
def run_graph(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Draw a run with the states of its tasks; ``?fragment=states`` gives these alone."""
    run = run_find(dag_id, run_id)
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    if request.GET.get("fragment") == "states":
        return JsonResponse({"states": states_of(run)})
    asked = read_asked(request.GET)
    found = run_graph_page(run, asked)
    if request.GET.get("fragment") == "json":
        return JsonResponse(found.drawing.document)
    return _show(request, "runs/run_graph.html", found, {"run": run, "asked": asked})


def _show(request: HttpRequest, template: str, found: GraphPage, context: dict[str, object]) -> HttpResponse:
    given = {"graph": found, "document": found.drawing.document, "scopes": SCOPES, "depths": DEPTHS}
    return render(request, template, {**context, **given})
