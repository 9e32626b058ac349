"""Decides the overview of a DAG: its grid of tasks and runs, and what is known of its failures and durations."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import access_of
from accounts.roles import Role
from accounts.views import page
from orchestrator.templatetags.shown import STATES
from orchestrator.ui.preferences import RUNS_SHOWN
from runs.pages.cell import cell_of
from runs.pages.dag_cards import cards_of, recent_runs
from runs.pages.dag_head import may, spec_or_none
from runs.pages.grid import SORTS, grid_of, read_choice
from runs.pages.grid_runs import edge_of
from runs.states import DagRunState, DagRunType
from runs.views.dag_switches import dag_or_404, dag_with_head


@require_GET
@page()
def dag_detail(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show a DAG: its grid, and below it failures, durations and errors; ``?part=grid`` is the grid alone, for the script."""
    choice = read_choice(request)
    query = request.GET.copy()
    is_part = query.pop("part", None) == ["grid"]
    edge = {"edge": edge_of(choice.runs)}
    dag = dag_or_404(dag_id, **edge) if is_part else dag_with_head(request, dag_id, **edge, recent_runs=recent_runs())
    spec = spec_or_none(dag)
    context = {
        "dag": dag,
        "grid": grid_of(dag, spec, choice, query, vars(dag)["edge"]),
        "query": query,
    }
    if is_part:
        return render(request, "runs/_grid.html", context)
    context |= {
        "cards": cards_of(dag, len(spec.tasks) if spec else 1, vars(dag)["recent_runs"]),
        "run_numbers": RUNS_SHOWN,
        "run_types": [kind.value for kind in DagRunType],
        "run_states": [state.value for state in DagRunState],
        "sorts": SORTS,
        "states": list(STATES),
    }
    return render(request, "runs/dag_detail.html", context)


@require_GET
@page()
def dag_cell(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show what a cell of the grid stands for: a task, an ``?index=`` of it or a group in a run; ``?hint`` gives it in short."""
    run, name, index = (request.GET.get(part, "") for part in ("run", "name", "index"))
    cell = cell_of(dag_or_404(dag_id), run, name, index)
    context = {"dag": cell.run.dag, "cell": cell, "may_act": may(access_of(request.user), Role.USER, dag_id)}
    return render(request, "runs/_cell_hint.html" if "hint" in request.GET else "runs/cell.html", context)
