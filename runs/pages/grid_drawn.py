"""Decides how the rows of a grid are drawn: their cells, the address that opens or closes them, indexes below a mapped task."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.safestring import SafeString, mark_safe

from runs.models import DagRun
from runs.pages.grid_cells import NO_CELL, Cells, plain_cells, sum_cell
from runs.pages.grid_indexes import Indexes, read_indexes
from runs.pages.grid_rows import GridRow
from runs.pages.grid_runs import Columns


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with its cells as HTML.

    Attributes:
        toggle: the address that opens or closes a group or a mapped task.
        number: of indexes or tasks.
        index: of a mapped task, for the row of one.
        newest: the newest run that has the task, for the row that leads to all indexes.
    """

    row: GridRow
    cells: SafeString
    toggle: str = ""
    number: int = 0
    index: int | None = None
    newest: DagRun | None = None


def opened_tasks(rows: Sequence[GridRow], cells: Cells, opened: Collection[str]) -> list[str]:
    """Return the mapped tasks in some rows that people opened, in their order."""
    return [row.name for row in rows if row.name in opened and row.name in cells.mapped]


def drawn_rows(
    rows: Sequence[GridRow], cells: Cells, columns: Columns, opened: Sequence[str], query: QueryDict
) -> list[ShownRow]:
    """Return the rows as they are shown.

    Args:
        opened: mapped tasks that people opened; the first ``MOST_OPEN`` show their indexes.
        query: the address of the page.
    """
    indexes = read_indexes(columns.ids, opened)
    drawn: list[ShownRow] = []
    for row in rows:
        shown = _shown(row, cells, columns.ids, query, indexes)
        drawn.append(shown)
        if row.name in indexes:
            drawn.extend(_index_rows(shown, indexes[row.name], columns))
    return drawn


def _shown(row: GridRow, cells: Cells, run_ids: list[int], query: QueryDict, indexes: Mapping[str, Indexes]) -> ShownRow:
    is_mapped = row.is_mapped or row.name in cells.mapped
    if row.kind != "group" and not is_mapped:
        html = plain_cells(cells.plain.get(row.name, {}), run_ids)
        return ShownRow(row, mark_safe(html))  # noqa: S308  made of known states
    sums = [cells.summed(row.tasks, run) for run in run_ids]
    html = mark_safe("".join(map(sum_cell, sums)))  # noqa: S308  made of known states
    if row.kind == "group":
        return ShownRow(row, html, _toggle(row, query), len(row.tasks))
    number = next((counts.total() for counts in reversed(sums) if counts), 0)
    row = replace(row, is_open=row.name in indexes)
    return ShownRow(row, html, _toggle(row, query) if row.name in cells.mapped else "", number)


def _index_rows(shown: ShownRow, indexes: Indexes, columns: Columns) -> Iterator[ShownRow]:
    row = replace(shown.row, kind="index", depth=shown.row.depth + 1)
    for index in indexes.shown:
        html = mark_safe(plain_cells(index.states, columns.ids))  # noqa: S308  made of known states
        yield ShownRow(replace(row, label=index.label or str(index.number)), html, index=index.number)
    if indexes.has_more:
        runs = (column.run for column in reversed(columns.columns))
        there = {run for index in indexes.shown for run in index.states}
        newest = next((run for run in runs if run.pk in there), None)
        none = mark_safe(NO_CELL * len(columns.ids))  # noqa: S308  made of nothing else
        yield ShownRow(replace(row, kind="more"), none, number=shown.number, newest=newest)


def _toggle(row: GridRow, query: QueryDict) -> str:
    opened, closed = set(query.getlist("open")), set(query.getlist("closed"))
    (opened if row.is_open else closed).discard(row.name)
    if row.kind == "group" or not row.is_open:
        (closed if row.is_open else opened).add(row.name)
    return with_open(query, sorted(opened), sorted(closed))


def with_open(query: QueryDict, opened: list[str], closed: list[str]) -> str:
    """Return the address of the grid with other groups and mapped tasks open."""
    kept = [(name, value) for name, values in query.lists() if name not in ("open", "closed") for value in values if value]
    return "?" + urlencode([*kept, *(("open", name) for name in opened), *(("closed", name) for name in closed)])
