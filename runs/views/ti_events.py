"""Decides the audit log of a task instance, and beside it how its state changed."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.events import events_page
from runs.pages.ti_address import chosen_try, path_of_task, tries_or_404
from runs.pages.ti_events import changes_of


@require_GET
@page()
def ti_events(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponseBase:
    """Show who did what to a task instance, and to its task as a whole."""
    tries = tries_or_404(dag_id, run_id, task_id, map_index)
    if not tries:
        return redirect(path_of_task("ti_mapped", dag_id, run_id, task_id))
    ti = chosen_try(tries, request.GET.get("try"))
    place = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": ti.map_index}
    return events_page(request, "runs/ti_events.html", place, {"ti": ti, "tries": tries, "changes": changes_of(ti)})
