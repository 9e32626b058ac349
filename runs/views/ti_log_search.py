"""Decides the page that looks through the logs of all tries of a task instance.

``?q=`` is a text, with ``?regex=on`` a regular expression; ``?level=`` chooses levels; ``?from=`` goes on where a search stopped.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from runs.models import AttemptFields
from runs.pages.log_hits import Asked, hits_of
from runs.pages.log_html import LEVELS
from runs.pages.ti_address import ended_tries, path_of_instance
from runs.views.instance_page import instance_page
from runs.views.log import LONGEST_SEARCH


@instance_page("runs/ti_log_search.html")
def ti_log_search(request: HttpRequest, ti: AttemptFields, tries: list[AttemptFields]) -> dict[str, Any]:
    """Show the lines of all tries that match."""
    asked = _asked(request)
    # Of tries with the same number the newest has the file.
    logs = list({row.try_number: row for row in ended_tries(tries)}.values())
    return {
        "asked": asked,
        "hits": hits_of(logs, asked, request.GET.get("from", "")),
        "searched": logs,
        "levels": [(level, level in asked.levels) for level in LEVELS],
        "path": path_of_instance(ti),
        "is_later": "from" in request.GET,
    }


def _asked(request: HttpRequest) -> Asked:
    text = request.GET.get("q", "")[:LONGEST_SEARCH]
    levels = frozenset(request.GET.getlist("level")) & frozenset(LEVELS)
    return Asked(text, request.GET.get("regex") == "on", frozenset() if len(levels) == len(LEVELS) else levels)
