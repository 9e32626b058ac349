"""Decides the lists of runs: of all DAGs, and of one."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.views import page
from orchestrator.ui.list_page import list_page
from runs.bulk.kinds import Target
from runs.pages.bulk_bar import bulk_bar
from runs.pages.run_list import RUNS, attach, of_days, runs_shown
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def run_list(request: HttpRequest) -> HttpResponseBase:
    """List the runs of all DAGs, newest first."""
    context = {"bulk": bulk_bar(request, Target.DAG_RUNS)}
    return list_page(request, "runs/run_list.html", RUNS, runs_shown(), attach=attach, context=context)


@require_GET
@page()
def dag_runs(request: HttpRequest, dag_id: str) -> HttpResponseBase:
    """List the runs of a DAG."""
    dag = dag_with_head(request, dag_id)
    context = {"dag": dag, "bulk": bulk_bar(request, Target.DAG_RUNS, dag_id=dag_id)}
    return list_page(request, "runs/dag_runs.html", of_days(dag), runs_shown().filter(dag=dag), attach=attach, context=context)
