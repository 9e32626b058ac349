"""Decides which tabs the pages of a DAG, a run and a task instance have, in which order, and which of them is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its word, where it leads, whether it is open, a number where one counts, and which key leads there, to what."""

    label: str
    url: str
    is_open: bool
    count: int = 0
    key: str = ""
    hint: str = ""


# (word, names of its routes: the first is where it leads; on any of them it is the open one)
DAG = (
    ("Overview", ("dag_detail",)),
    ("Graph", ("dag_graph",)),
    ("Runs", ("dag_runs",)),
    ("Tasks", ("dag_tasks", "dag_task", "dag_group")),
    ("Logs", ("dag_log_search",)),
    ("Calendar", ("dag_calendar",)),
    ("Durations", ("dag_durations",)),
    ("Backfills", ("dag_backfills",)),
    ("Assets", ("dag_assets",)),
    ("Required actions", ("dag_required_actions",)),
    ("Audit log", ("dag_events",)),
    ("Code", ("dag_code",)),
    ("Versions", ("dag_versions",)),
    ("Details", ("dag_details",)),
)
RUN = (
    ("Overview", ("run_detail", "run_log_search")),
    ("Graph", ("run_graph",)),
    ("Asset events", ("run_asset_events",)),
    ("Required actions", ("run_required_actions",)),
    ("Audit log", ("run_events",)),
    ("Code", ("run_code",)),
    ("Details", ("run_details",)),
)
INSTANCE = (
    ("Logs", ("log_detail", "mapped_log_detail", "ti_log_search")),
    ("Rendered templates", ("ti_rendered",)),
    ("XCom", ("ti_xcom",)),
    ("State store", ("ti_state_store",)),
    ("Asset events", ("ti_asset_events",)),
    ("Required actions", ("ti_required_actions",)),
    ("Audit log", ("ti_events",)),
    ("Code", ("ti_code",)),
    ("Details", ("ti_details",)),
)


def tabs(kind: str, present: str, place: dict[str, Any], counts: dict[str, int] | None = None) -> list[Tab]:
    """Return the tabs of a page.

    Args:
        kind: ``dag``, ``run`` or ``instance``.
        present: the name of the route that is shown.
        place: what the addresses name: ``dag_id``, ``run_id``, ``task_id``, ``map_index`` (only for a mapped instance).
        counts: by word, a number to show; ``Required actions`` is left out where it has none.
    """
    known = counts or {}
    made = (_tab(label, routes, present, place, known.get(label, 0)) for label, routes in _TABS[kind])
    return [tab for tab in made if tab is not None]


_TABS = {"dag": DAG, "run": RUN, "instance": INSTANCE}
# The same tasks seen in another way: from the page of a route the tab to which the key goes, and what is there. The overview of a
# run has two ways itself and goes on from there (templates/runs/_run_tasks.html).
_OTHER_VIEW = {
    "dag_detail": ("Graph", "Graph"),
    "dag_graph": ("Overview", "Grid"),
    "run_graph": ("Overview", "Table of tasks"),
}
# The key of a tab wherever it is not open, and what is there.
_KEYS = {"dag_log_search": ("l", "Search the logs of all runs")}
_ONLY_WITH_COUNT = frozenset({"Required actions"})


def _tab(label: str, routes: tuple[str, ...], present: str, place: dict[str, Any], count: int) -> Tab | None:
    is_open = present in routes
    if label in _ONLY_WITH_COUNT and not count and not is_open:
        return None
    for route in routes:
        try:
            return Tab(label, reverse(route, kwargs=place), is_open, count, *_key(label, route, present))
        except NoReverseMatch:
            continue
    return None


def _key(label: str, route: str, present: str) -> tuple[str, str]:
    turn, view = _OTHER_VIEW.get(present, ("", ""))
    if turn == label:
        return "v", view
    return _KEYS[route] if route in _KEYS and route != present else ("", "")
