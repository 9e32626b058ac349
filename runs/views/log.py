"""Decides the page of a try with its log."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.logs import LogPathError, log_file, log_read, log_source, log_tail_position
from runs.models import AttemptFields
from runs.pages.rows import is_over, shown_name
from runs.tries import tries_of
from runs.views.run import attempt_seconds

TAIL_LINES = 500


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
    context = {
        "ti": chosen,
        "name": shown_name(chosen),
        "tries": tries,
        "duration": attempt_seconds(chosen),
        "is_live": not is_over(chosen),
        **lines,
    }
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
