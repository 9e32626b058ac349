"""Decides the pages about when a DAG runs and how long it takes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.ui.preferences import RUNS_SHOWN, preferences_of
from runs.pages.dag_calendar import FIELDS, SHOWN, VIEWS, calendar_of, read_choice
from runs.pages.dag_durations import begun_runs, chart, slow_tasks
from runs.states import DagRunType
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def dag_calendar(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show the runs of a month or a year, by days or hours, past and planned."""
    dag = dag_with_head(request, dag_id)
    choice = read_choice(request.GET)
    context = {"dag": dag, "choice": choice, "calendar": calendar_of(dag, choice), "hours": range(24)}
    return render(request, "runs/dag_calendar.html", context | {"views": VIEWS, "fields": FIELDS, "shown": SHOWN})


@require_GET
@page()
def dag_durations(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show how long the newest runs took and waited, and the tasks that take the most."""
    dag = dag_with_head(request, dag_id)
    text, kind = request.GET.get("runs", ""), request.GET.get("run_type", "")
    number = next((choice for choice in RUNS_SHOWN if str(choice) == text), preferences_of(request).runs)
    runs = begun_runs(dag_id, number, kind)
    context = {"dag": dag, "chart": chart(runs), "tasks": slow_tasks(runs), "number": number, "kind": kind}
    return render(
        request,
        "runs/dag_durations.html",
        context | {"run_numbers": RUNS_SHOWN, "run_types": [item.value for item in DagRunType]},
    )
