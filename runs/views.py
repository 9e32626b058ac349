"""Decides the pages about runs: DAG list, DAG, run and log, and the form that starts a run."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from accounts.services import audit_write
from accounts.views import page
from dags_app.models import Dag, ParseImportError
from runs.logs import LogPathError, log_file, log_read, log_source, log_tail_position
from runs.models import AttemptFields, DagRun
from runs.page_queries import dag_page, elapsed, is_over, recent_runs, run_counts, run_find, run_tasks
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError, run_trigger
from runs.tries import tries_of

TAIL_LINES = 500


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the DAG list."""
    return redirect("dag_list")


@require_GET
@page()
def dag_list(request: HttpRequest) -> HttpResponse:
    """Show the DAGs with their recent runs."""
    search = request.GET.get("q", "").strip()
    found, rows = dag_page(search, request.GET.get("page"))
    context = {"page": found, "rows": rows, "search": search, "error_count": ParseImportError.objects.count()}
    return render(request, "runs/dag_list.html", context)


@require_GET
@page()
def dag_detail(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show a DAG with its newest runs."""
    dag = get_object_or_404(Dag.objects.prefetch_related("tags"), pk=dag_id)
    runs = list(reversed(recent_runs([dag_id])[dag_id]))
    return render(request, "runs/dag_detail.html", {"dag": dag, "runs": [(run, _elapsed(run)) for run in runs]})


@require_POST
@page(Role.USER)
def dag_trigger(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Start a run without a logical date and lead to it."""
    dag = get_object_or_404(Dag, pk=dag_id)
    actor = request.user.get_username()
    try:
        with transaction.atomic():
            run = run_trigger(dag=dag, triggered_by="ui", user_name=actor)
            audit_write("trigger_dag_run", actor=actor, extra={}, dag_id=dag_id, run_id=run.run_id)
    except (DagUnavailableError, ParamsInvalidError, RunExistsError, ValueError) as error:
        messages.error(request, f"{dag_id} was not started: {error}")
        return redirect("dag_detail", dag_id=dag_id)
    return redirect("run_detail", dag_id=dag_id, run_id=run.run_id)


@require_GET
@page()
def run_detail(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show a run and its task instances; ``?fragment=tasks`` gives the part that changes."""
    run = run_find(dag_id, run_id)
    if run is None:
        raise Http404(f"DAG {dag_id} has no run {run_id}")
    context: dict[str, Any] = {"run": run, "duration": _elapsed(run), "counts": run_counts(run)}
    context["tasks"] = [(ti, _attempt_seconds(ti)) for ti in run_tasks(run)]
    context["is_live"] = run.state in ("queued", "running")
    if request.GET.get("fragment") == "tasks":
        response = render(request, "runs/_run_tasks.html", context)
        response["X-Live"] = "yes" if context["is_live"] else "no"
        return response
    return render(request, "runs/run_detail.html", context)


@require_GET
@page()
def log_detail(request: HttpRequest, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> HttpResponse:
    """Show the log of a try; ``?fragment=lines&position=`` gives what was written after that byte."""
    tries = tries_of(dag_id, run_id, task_id, map_index)
    if not tries:
        raise Http404(f"Run {run_id} of DAG {dag_id} has no task {task_id}")
    chosen = next((row for row in tries if str(row.try_number) == request.GET.get("try")), tries[-1])
    lines = _log_lines(chosen, request.GET.get("position"), "all" in request.GET)
    if request.GET.get("fragment") == "lines":
        html = render_to_string("runs/_log_lines.html", lines)
        return JsonResponse({"html": html, "position": lines["position"], "live": not is_over(chosen) or lines["more"]})
    context = {"ti": chosen, "tries": tries, "duration": _attempt_seconds(chosen), "is_live": not is_over(chosen), **lines}
    return render(request, "runs/log_detail.html", context)


def _log_lines(attempt: AttemptFields, position: str | None, from_start: bool) -> dict[str, Any]:
    """The next lines for the page: the last ones at first, then what comes after ``position``."""
    try:
        path = log_file(attempt)
    except LogPathError as error:
        raise Http404(str(error)) from error
    is_first = position is None or not position.isdecimal()
    start = int(position or 0) if not is_first else 0 if from_start else log_tail_position(path, TAIL_LINES)
    found = log_read(path, start)
    head = log_source(path, path.is_file(), attempt.end_date)[2:] if is_first else []
    more = found.position < found.size and found.position > start
    return {"records": head + found.records, "position": found.position, "more": more, "cut": is_first and start > 0}


def _elapsed(run: DagRun) -> float | None:
    return elapsed(run.start_date, run.end_date)


def _attempt_seconds(attempt: AttemptFields) -> float | None:
    return attempt.duration if attempt.duration is not None else elapsed(attempt.start_date, attempt.end_date)
