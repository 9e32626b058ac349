"""Decides the pages that look through logs: those of all tries of a task instance, and those of a whole run.

``?q=`` is a text, with ``?regex=on`` a regular expression; ``?level=`` chooses levels; ``?from=`` goes on where a search stopped.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.models import AttemptFields
from runs.pages.log_hits import Asked, hits_of
from runs.pages.log_html import LEVELS
from runs.pages.log_places import Logs, in_order
from runs.pages.run.logs import MOST_LOGS, logs_of
from runs.pages.ti_address import ended_tries, path_of_instance
from runs.views.instance_page import instance_page
from runs.views.log import LONGEST_SEARCH
from runs.views.run import run_or_404


@instance_page("runs/ti_log_search.html")
def ti_log_search(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the lines of all tries that match, the newest try first."""
    # Of tries with the same number the newest has the file.
    logs = {row.try_number: row for row in ended_tries(tries)}.values()
    return search_context(request, in_order(logs)) | {"path": path_of_instance(ti)}


@require_GET
@page()
def run_log_search(request: HttpRequest, dag_id: str, run_id: str) -> HttpResponse:
    """Show the lines of all tries of a run that match, those of tasks that failed first."""
    run = run_or_404(dag_id, run_id)
    logs = logs_of(run, request.GET.get("from", "")) if asked_in(request) else in_order(())
    context = search_context(request, logs) | {"run": run, "is_cut": len(logs.rows) >= MOST_LOGS}
    return render(request, "runs/run_log_search.html", context)


def search_context(request: HttpRequest, logs: Logs) -> dict[str, Any]:
    """Return what every search shows: what is looked for, and what of it is in some logs."""
    asked = asked_in(request)
    return {
        "asked": asked,
        "hits": hits_of(logs, asked, request.GET.get("from", "")),
        "searched": len(logs.rows),
        "has_rest": bool(logs.rest),
        "levels": [(level, level in asked.levels) for level in LEVELS],
        "is_later": "from" in request.GET,
    }


def asked_in(request: HttpRequest) -> Asked:
    """Return what an address looks for."""
    text = request.GET.get("q", "")[:LONGEST_SEARCH]
    levels = frozenset(request.GET.getlist("level")) & frozenset(LEVELS)
    return Asked(text, request.GET.get("regex") == "on", frozenset() if len(levels) == len(LEVELS) else levels)
