"""Decides what every page has around it: the shell, or nothing where only a part of a page was asked for.

A page asked with ``X-Dialog`` comes as the inside of a dialog; one asked by htmx comes without the shell, and htmx picks
from it the part that it wants (``hx-select``), so no page needs a second address for its parts.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from orchestrator.config import conf
from orchestrator.ui.addresses import page_path
from orchestrator.ui.navigation import ADMIN, BROWSE, MAIN, shown
from orchestrator.ui.preferences import preferences_of
from orchestrator.version import AIRFLOW_VERSION, VERSION
from runs.live import feed

WHOLE = "base.html"


def layout_of(request: HttpRequest) -> str:
    """Return the template that a page extends."""
    if "X-Dialog" in request.headers:
        return "layouts/dialog.html"
    return "layouts/part.html" if "HX-Request" in request.headers else WHOLE


def is_whole_page(request: HttpRequest) -> bool:
    """Return whether a page would be asked for with its shell: neither by htmx, nor for a dialog, nor by a script."""
    return layout_of(request) == WHOLE and "X-Requested-With" not in request.headers


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give every template layout, path, preferences and the places of the sidebar; nothing is asked before it is used."""
    places = SimpleLazyObject(lambda: [(name, shown(group, request)) for name, group in GROUPS])
    return {
        "layout": layout_of(request),
        "page_path": page_path(request),
        "instance_name": conf.get("api", "instance_name") or "Orchestrator",
        "preferences": SimpleLazyObject(lambda: preferences_of(request)),
        "live_version": SimpleLazyObject(lambda: feed.since(None, frozenset()).version),
        "places": places,
        "actions_waiting": SimpleLazyObject(lambda: _waiting(places)),
        "version": VERSION,
        "airflow_version": AIRFLOW_VERSION,
    }


def _waiting(places: Any) -> int:
    """How many questions wait, as the sidebar has counted them."""
    return next((place.count for _, group in places for place in group if place.route == "required_actions"), 0)


GROUPS = (("", MAIN), ("Browse", BROWSE), ("Admin", ADMIN))
