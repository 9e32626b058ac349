"""Decides which pages the sidebar leads to, in which order, for whom, and which of them show a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Value
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.urls import reverse

from accounts.access import access_of
from accounts.reach import Scope, reaching
from accounts.roles import Role
from dags_app.models import ParseImportError
from orchestrator.counting import CountOf
from runs.hitl.selectors import waiting


@dataclass(frozen=True, slots=True)
class Place:
    """One entry. ``below`` are the paths on which it counts as the current one; the number of ``rows`` is shown when not zero."""

    label: str
    icon: str
    route: str
    below: tuple[str, ...] = ()
    least: Role = Role.VIEWER
    rows: Callable[[], QuerySet[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the page of one request shows it."""

    label: str
    icon: str
    route: str
    url: str
    is_current: bool
    count: int


MAIN = (
    Place("Home", "home", "home"),
    Place("DAGs", "sitemap", "dag_list", ("/dags",)),
    Place("Runs", "player-play", "run_list", ("/dag_runs", "/task_instances")),
    Place("Timeline", "timeline", "timeline", ("/timeline",)),
    Place("Assets", "database", "asset_list", ("/assets",)),
    Place("Actions", "hand-stop", "required_actions", ("/required_actions",), rows=waiting),
    Place("Import errors", "alert-triangle", "import_errors", ("/import_errors",), rows=ParseImportError.objects.all),
)
BROWSE = (
    Place("Backfills", "calendar", "backfill_list", ("/backfills",)),
    Place("Deadlines", "hourglass", "deadline_list", ("/deadlines",)),
    Place("Audit log", "history", "audit_log", ("/events",)),
    Place("XComs", "arrows-diff", "xcom_list", ("/xcoms",)),
    Place("Jobs", "cpu", "job_list", ("/jobs",)),
    Place("Bulk actions", "list-details", "bulk_list", ("/bulk",)),
)
ADMIN = (
    Place("Connections", "plug", "connection_list", ("/connections",), Role.OP),
    Place("Variables", "variable", "variable_list", ("/variables",), Role.OP),
    Place("Pools", "layout-grid", "pool_list", ("/pools",)),
    Place("Configuration", "settings", "configuration", ("/configs",), Role.OP),
    Place("Providers", "books", "provider_list", ("/providers",)),
    Place("Plugins", "puzzle", "plugin_list", ("/plugins",)),
)


def numbers_along() -> dict[str, Combinable]:
    """Return the numbers of all places as columns for the query that reads the person; they count what nobody is kept from."""
    return {_column(place): CountOf(place.rows()) for place in MAIN if place.rows is not None}


def shown(places: tuple[Place, ...], request: HttpRequest) -> list[Shown]:
    """Return the entries that the person may open, the present one marked."""
    access = access_of(request.user)
    best = access.best()
    mine = [place for place in places if best is not None and place.least <= best]
    numbers = _numbers(mine, request.user, access.scope(Role.VIEWER))
    return [_shown(place, request.path_info, numbers.get(place.route, 0)) for place in mine]


def _numbers(places: Iterable[Place], user: Any, scope: Scope | None) -> Mapping[str, int]:
    """Numbers that came with the person; one query for whom rules keep from some of them, or who was read without."""
    counted = [place for place in places if place.rows is not None]
    if scope is None and all(hasattr(user, _column(place)) for place in counted):
        return {place.route: getattr(user, _column(place)) for place in counted}
    with reaching(scope):
        return _counted({place.route: place.rows() for place in counted if place.rows is not None})


def _counted(rows: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    counts = [
        some.order_by().annotate(place=Value(route)).values("place").annotate(number=Count("pk")).values_list("place", "number")
        for route, some in rows.items()
    ]
    return dict(counts[0].union(*counts[1:], all=True)) if counts else {}


def _column(place: Place) -> str:
    return f"number_of_{place.route}"


def _shown(place: Place, path: str, number: int) -> Shown:
    is_current = path == "/" if not place.below else any(path == below or path.startswith(f"{below}/") for below in place.below)
    return Shown(place.label, place.icon, place.route, reverse(place.route), is_current, number)
