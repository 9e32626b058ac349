"""Decides what the grid of a DAG shows: which runs, which rows, and the cells where they meet; a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString, mark_safe

from dags_app.models import Dag
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.ui.lists import changed
from orchestrator.ui.preferences import RUNS_SHOWN, preferences_of
from runs.pages.grid_cells import Cells, plain_cells, read_cells, sum_cell
from runs.pages.grid_rows import GridRow, Opened, rows_of, visible
from runs.pages.grid_runs import Columns, RunChoice, columns_of

# So many cells are read and drawn within a blink; a DAG with very many tasks shows fewer runs.
MOST_CELLS = 40_000
FEWEST_RUNS = 10
ROWS_AT_ONCE = 20  # as in static/css/grid.css
SORTS = (("", "Upstream first"), ("name", "By name"))


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with its cells as HTML. ``toggle``: the address that opens or closes a group; ``number``: of indexes or tasks."""

    row: GridRow
    cells: SafeString
    toggle: str
    number: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole grid. ``asked`` runs were wanted; ``hidden`` rows do not pass the filter."""

    columns: Columns
    rows: list[ShownRow]
    choice: GridChoice
    asked: int
    hidden: int
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


def grid_of(dag: Dag, spec: DagSpec | None, choice: GridChoice, query: QueryDict) -> Grid:
    """Return the grid of a DAG; five queries."""
    tasks = len(spec.tasks) if spec is not None else 1
    number = min(choice.runs.number, max(FEWEST_RUNS, MOST_CELLS // max(1, tasks)))
    asked = RunChoice(number, choice.runs.run_type, choice.runs.state, choice.runs.before, choice.runs.after)
    columns = columns_of(dag.pk, asked)
    cells = read_cells(columns.ids)
    rows = rows_of(spec, cells.known(), choice.opened, choice.sort)
    shown = visible(rows, _wanted(rows, cells, choice))
    is_filtered = bool(choice.search or choice.failing)
    return Grid(
        columns=columns,
        rows=[_shown(row, cells, columns.ids, query) for row in shown],
        choice=choice,
        asked=choice.runs.number,
        hidden=len(rows) - len(shown) if is_filtered else 0,
        older=changed(query, ("after",), before=columns.older) if columns.older else "",
        newer=changed(query, ("before",), after=columns.newer) if columns.newer else "",
        newest=changed(query, ("before", "after")) if columns.newer else "",
        open_all=_with(query, ["*"], []),
        close_all=_with(query, [], ["*"]),
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


def _shown(row: GridRow, cells: Cells, run_ids: list[int], query: QueryDict) -> ShownRow:
    is_mapped = row.is_mapped or row.name in cells.mapped
    if row.kind != "group" and not is_mapped:
        html = plain_cells(cells.plain.get(row.name, {}), run_ids)
        return ShownRow(row, mark_safe(html), "", 0)  # noqa: S308  made of known states
    sums = [cells.summed(row.tasks, run) for run in run_ids]
    html = mark_safe("".join(map(sum_cell, sums)))  # noqa: S308  made of known states
    if row.kind == "group":
        return ShownRow(row, html, _toggle(row, query), len(row.tasks))
    return ShownRow(row, html, "", next((counts.total() for counts in reversed(sums) if counts), 0))


def _toggle(row: GridRow, query: QueryDict) -> str:
    opened, closed = set(query.getlist("open")), set(query.getlist("closed"))
    (opened if row.is_open else closed).discard(row.name)
    (closed if row.is_open else opened).add(row.name)
    return _with(query, sorted(opened), sorted(closed))


def _with(query: QueryDict, opened: list[str], closed: list[str]) -> str:
    kept = [(name, value) for name, values in query.lists() if name not in ("open", "closed") for value in values if value]
    return "?" + urlencode([*kept, *(("open", name) for name in opened), *(("closed", name) for name in closed)])
