"""Decides the page of a mapped task in a run: all its indexes."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import Verdict, access_of
from accounts.roles import Role
from accounts.views import page
from runs.models import Hold
from runs.pages.mapped import PER_PAGE, mapped_page
from runs.pages.places import run_or_404
from runs.views.run import attempt_seconds


@require_GET
@page()
def ti_mapped(request: HttpRequest, dag_id: str, run_id: str, task_id: str) -> HttpResponse:
    """Show the indexes of a mapped task: ``?state=`` and ``?q=`` choose some, ``?offset=`` a page."""
    run = run_or_404(dag_id, run_id)
    offset = request.GET.get("offset", "")
    begin = int(offset) // PER_PAGE * PER_PAGE if offset.isdecimal() and len(offset) < 9 else 0
    state, search = (request.GET.get(name, "").replace("\0", "").strip()[:250] for name in ("state", "q"))
    found = mapped_page(run, task_id, state or None, search, begin)
    if not found.total:
        raise Http404(f"Run {run_id} of DAG {dag_id} has no task {task_id}")
    for row in found.rows:
        row.label_differs = row.rendered_map_index not in (None, str(row.map_index))  # type: ignore[attr-defined]
    context = {
        "run": run,
        "task_id": task_id,
        "page": found,
        "rows": [(row, attempt_seconds(row) if row.start_date else None) for row in found.rows],
        "hold": Hold.objects.filter(dag_run=run, task_id=task_id, map_index=-1).first(),
        "may_act": access_of(request.user).on_dag(Role.USER, dag_id) is Verdict.GRANTED,
        "searched": search,
    }
    return render(request, "runs/ti_mapped.html", context)
