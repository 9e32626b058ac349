"""Decides what the page of a mapped task shows: a picture of all indexes, numbers by state, and a page of them, failed first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil

from django.db.models import Count, Q, QuerySet

from orchestrator.rest.patterns import contains
from runs.models import DagRun, TaskInstance
from runs.pages.last_failures import show_last_failures
from runs.pages.worst import rank, rank_of_row, state_of, worst

PER_PAGE = 100
# More indexes than cells share one, which shows the worst of them.
MOST_CELLS = 4000
MOST_READ = 50_000
CELL = 8
COLUMNS = 120


@dataclass(frozen=True, slots=True)
class Strip:
    """The picture: a path for each state, in cells of ``size`` indexes each, from the first index on."""

    paths: list[tuple[str, str]]
    size: int
    columns: int
    width: int
    height: int
    first: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class MappedPage:
    """What the template shows."""

    name: str
    counts: list[tuple[str | None, int]]
    total: int
    state: str | None
    strip: Strip
    rows: list[TaskInstance]
    found: int
    offset: int

    @property
    def worst(self) -> str | None:
        """The state that stands for all indexes."""
        return state_of(worst(state for state, _ in self.counts))

    @property
    def last(self) -> int:
        """The place of the last row that is shown."""
        return self.offset + len(self.rows)

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins."""
        after = self.offset + PER_PAGE
        return after if after < self.found else None

    @property
    def previous_offset(self) -> int | None:
        """Where the page before begins."""
        return max(0, self.offset - PER_PAGE) if self.offset else None


def mapped_page(run: DagRun, task_id: str, state: str | None, search: str, offset: int) -> MappedPage:
    """Return the page; ``state`` ``none`` are indexes without one. Five queries at most, whatever the number of indexes."""
    rows = TaskInstance.objects.filter(dag_run=run, task_id=task_id)
    counted: dict[str | None, int] = dict(rows.values_list("state").annotate(number=Count("id")).order_by())
    counts = [(word, counted[word]) for word in sorted(counted, key=rank)]
    wanted = _wanted(rows, state, search)
    found = wanted.count() if search else counted.get(None if state == "none" else state, 0) if state else sum(counted.values())
    shown = list(wanted.defer("executor_config", "next_kwargs").order_by(rank_of_row(), "map_index")[offset : offset + PER_PAGE])
    show_last_failures(shown)
    name = rows.filter(map_index__lte=0).values_list("task_display_name", flat=True).first() or task_id
    cells = list(rows.filter(map_index__gte=0).order_by("map_index").values_list("map_index", "state")[: MOST_READ + 1])
    return MappedPage(name, counts, sum(counted.values()), state, strip_of(cells), shown, found, offset)


def _wanted(rows: QuerySet[TaskInstance], state: str | None, search: str) -> QuerySet[TaskInstance]:
    if state:
        rows = rows.filter(state__isnull=True) if state == "none" else rows.filter(state=state)
    if search:
        by_index = Q(map_index=int(search)) if search.isdecimal() and len(search) < 9 else Q()
        rows = rows.filter(by_index | contains("rendered_map_index", search))
    return rows


def strip_of(cells: list[tuple[int, str | None]]) -> Strip:
    """Return the picture of indexes with their states."""
    is_cut = len(cells) > MOST_READ
    cells = cells[:MOST_READ]
    first = cells[0][0] if cells else 0
    span = cells[-1][0] - first + 1 if cells else 0
    size = max(1, ceil(span / MOST_CELLS))
    states: dict[int, Counter[str | None]] = {}
    for index, state in cells:
        states.setdefault((index - first) // size, Counter())[state] += 1
    paths: dict[str, list[str]] = {}
    for cell, found in states.items():
        row, column = divmod(cell, COLUMNS)
        paths.setdefault(worst(found), []).append(f"M{column * CELL} {row * CELL}h7v7h-7z")
    drawn = [(word, "".join(paths[word])) for word in sorted(paths, key=rank)]
    number = ceil(span / size)
    return Strip(drawn, size, COLUMNS, min(number, COLUMNS) * CELL, ceil(number / COLUMNS) * CELL, first, is_cut)
