"""Decides the part of a task instance's page that is loaded again when its run changes."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.ti_address import chosen_try, tries_or_404


@require_GET
@page()
def ti_head(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int | None = None) -> HttpResponse:
    """Show the head of a task instance alone, for the try of ``?try=``."""
    tries = tries_or_404(dag_id, run_id, task_id, map_index)
    if not tries:
        raise Http404(f"Task {task_id} of run {run_id} is mapped: name one of its indexes.")
    return render(request, "runs/ti_head.html", {"ti": chosen_try(tries, request.GET.get("try")), "tries": tries})
