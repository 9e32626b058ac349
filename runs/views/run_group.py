"""Decides the page of a task group in a run."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import Verdict, access_of
from accounts.roles import Role
from accounts.views import page
from dags_app.selectors import SpecUnreadableError
from runs.pages.group import group_page
from runs.pages.places import run_or_404, spec_of_run


@require_GET
@page()
def run_group(request: HttpRequest, dag_id: str, run_id: str, group_id: str) -> HttpResponse:
    """Show the tasks of a group with their states in a run."""
    run = run_or_404(dag_id, run_id)
    try:
        found = group_page(run, spec_of_run(run), group_id)
    except SpecUnreadableError as error:
        raise Http404(f"The version of run {run_id} cannot be read, so its groups are not known: {error}") from error
    if found is None:
        raise Http404(f"Run {run_id} of DAG {dag_id} has no task group {group_id}")
    may_act = access_of(request.user).on_dag(Role.USER, dag_id) is Verdict.GRANTED
    return render(request, "runs/run_group.html", {"run": run, "page": found, "may_act": may_act})
