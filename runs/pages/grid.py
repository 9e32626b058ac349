"""Decides what the grid of a DAG shows: which runs, which rows, and the cells where they meet; a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, QueryDict

from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.ui.lists import changed
from orchestrator.ui.preferences import RUNS_SHOWN, preferences_of
from runs.pages.grid_cells import Cells, read_cells
from runs.pages.grid_drawn import ShownRow, drawn_rows, opened_tasks, with_open
from runs.pages.grid_indexes import MOST_OPEN
from runs.pages.grid_rows import GridRow, Opened, rows_of, visible
from runs.pages.grid_runs import Columns, RunChoice, columns_of

# So many cells are read and drawn within a blink; a DAG with very many tasks shows fewer runs.
MOST_CELLS = 40_000
FEWEST_RUNS = 10
ROWS_AT_ONCE = 20  # as in static/css/grid.css
SORTS = (("", "Upstream first"), ("name", "By name"))


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole grid. ``asked`` runs were wanted; ``hidden`` rows do not pass the filter.

    ``opened`` mapped tasks show their indexes, ``left_shut`` more that people opened do not.
    """

    columns: Columns
    rows: list[ShownRow]
    choice: GridChoice
    asked: int
    hidden: int
    opened: int
    left_shut: int
    older: str
    newer: str
    newest: str
    open_all: str
    close_all: str
    has_groups: bool

    @property
    def chunks(self) -> list[list[ShownRow]]:
        """The rows by twenties: the browser lays out only the bodies of the table that are in sight."""
        return [self.rows[start : start + ROWS_AT_ONCE] for start in range(0, len(self.rows), ROWS_AT_ONCE)]

    @property
    def half(self) -> float:
        """The middle of the axis of durations."""
        return self.columns.longest / 2


@dataclass(frozen=True, slots=True)
class GridChoice:
    """What the address asks for."""

    runs: RunChoice
    opened: Opened
    search: str
    failing: bool
    sort: str


def read_choice(request: HttpRequest) -> GridChoice:
    """Read the address; what makes no sense counts as not given."""
    query = request.GET
    number = _number(query.get("runs")) or 0
    wanted = number if number in RUNS_SHOWN else preferences_of(request).runs
    runs = RunChoice(
        number=wanted,
        run_type=query.get("run_type", ""),
        state=query.get("state", ""),
        before=_number(query.get("before")),
        after=_number(query.get("after")),
    )
    opened = Opened(frozenset(query.getlist("open")), frozenset(query.getlist("closed")))
    return GridChoice(runs, opened, query.get("q", "").strip(), query.get("failing") == "on", query.get("sort", ""))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def grid_of(dag: Dag, spec: DagSpec | None, choice: GridChoice, query: QueryDict, edge: datetime | None) -> Grid:
    """Return the grid of a DAG; two queries, and two more where mapped tasks are open. ``edge``: as ``edge_of`` read it."""
    tasks = len(spec.tasks) if spec is not None else 1
    number = min(choice.runs.number, max(FEWEST_RUNS, MOST_CELLS // max(1, tasks)))
    asked = RunChoice(number, choice.runs.run_type, choice.runs.state, choice.runs.before, choice.runs.after)
    columns = columns_of(dag.pk, asked, edge)
    cells = read_cells(columns.ids)
    rows = rows_of(spec, cells.known(), choice.opened, choice.sort)
    shown = visible(rows, _wanted(rows, cells, choice))
    opened = opened_tasks(shown, cells, choice.opened.opened)
    is_filtered = bool(choice.search or choice.failing)
    return Grid(
        columns=columns,
        rows=drawn_rows(shown, cells, columns, opened, query),
        choice=choice,
        asked=choice.runs.number,
        hidden=len(rows) - len(shown) if is_filtered else 0,
        opened=min(len(opened), MOST_OPEN),
        left_shut=max(0, len(opened) - MOST_OPEN),
        older=changed(query, ("after",), before=columns.older) if columns.older else "",
        newer=changed(query, ("before",), after=columns.newer) if columns.newer else "",
        newest=changed(query, ("before", "after")) if columns.newer else "",
        open_all=with_open(query, ["*"], []),
        close_all=with_open(query, [], ["*"]),
        has_groups=any(row.kind == "group" for row in rows),
    )


def _wanted(rows: list[GridRow], cells: Cells, choice: GridChoice) -> set[str] | None:
    """Return the names of the rows that pass the filter; None without one."""
    if not choice.search and not choice.failing:
        return None
    text = choice.search.lower()
    fits = {row.name for row in rows if text in row.name.lower() or text in row.label.lower()}
    fits |= {row.name for row in rows if fits.intersection(row.parents)}
    if choice.failing:
        fits &= cells.failing()
    return fits
