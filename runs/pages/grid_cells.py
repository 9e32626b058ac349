"""Decides what the cells of a grid show: the state of each task in each run, summed up for mapped tasks and groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Value

from runs.models import TaskInstance
from runs.pages.worst import WORST_FIRST, known, rank, worst
from runs.states import FAILED_STATES

BANDS = 4
_NEEDS_LOOK = frozenset({*FAILED_STATES, "up_for_retry"})
# Tens of thousands of cells are on a page, so each is as short as can be: its class says everything else. The style sheet adds
# the mark and the word for readers; a script adds the full name to the cell that has the focus.
_PLAIN = {state: f"<td class={state}>" for state in WORST_FIRST}
NO_CELL = "<td>"


@dataclass(slots=True)
class Cells:
    """What is known by task and run: the state of a task that is not mapped, the numbers by state of one that is."""

    plain: dict[str, dict[int, str]] = field(default_factory=dict)
    mapped: dict[str, dict[int, Counter[str]]] = field(default_factory=dict)

    def known(self) -> set[str]:
        """Return the tasks that any of the runs has."""
        return self.plain.keys() | self.mapped.keys()

    def summed(self, tasks: Sequence[str], run: int) -> Counter[str]:
        """Return how many instances of some tasks are in which state in a run."""
        total: Counter[str] = Counter()
        for task in tasks:
            if (state := self.plain.get(task, {}).get(run)) is not None:
                total[state] += 1
            if (counts := self.mapped.get(task, {}).get(run)) is not None:
                total += counts
        return total

    def failing(self) -> set[str]:
        """Return the tasks that failed, or are tried again, in any of the runs."""
        found = {task for task, runs in self.plain.items() if not _NEEDS_LOOK.isdisjoint(runs.values())}
        return found | {task for task, runs in self.mapped.items() if any(not _NEEDS_LOOK.isdisjoint(c) for c in runs.values())}


def read_cells(run_ids: Sequence[int]) -> Cells:
    """Read the states of all tasks of some runs by one query: those of plain tasks, and counts of the indexes of mapped ones."""
    cells = Cells()
    if not run_ids:
        return cells
    rows: Any = TaskInstance.objects.filter(dag_run_id__in=run_ids).order_by().values_list("task_id", "dag_run_id", "state")
    plain = rows.filter(map_index__lt=0).annotate(number=Value(0))
    counted = rows.filter(map_index__gte=0).annotate(number=Count("id"))
    for task, run, state, number in plain.union(counted, all=True):
        if number:
            cells.mapped.setdefault(task, {}).setdefault(run, Counter())[known(state)] += number
        else:
            cells.plain.setdefault(task, {})[run] = known(state)
    return cells


def bands(counts: Counter[str]) -> list[str]:
    """Return four states in the proportion of their numbers, worst first; each of the four worst gets one at least."""
    states = sorted(counts, key=rank)[:BANDS]
    total = sum(counts[state] for state in states)
    shares = {state: max(1, round(BANDS * counts[state] / total)) for state in states}
    while sum(shares.values()) > BANDS:
        shares[max(shares, key=shares.__getitem__)] -= 1
    while sum(shares.values()) < BANDS:
        shares[max(shares, key=counts.__getitem__)] += 1
    return [state for state in states for _ in range(shares[state])]


def plain_cells(states: dict[int, str], run_ids: Sequence[int]) -> str:
    """Return the cells of a task that is not mapped."""
    return "".join([_PLAIN[states[run]] if run in states else NO_CELL for run in run_ids])


def sum_cell(counts: Counter[str]) -> str:
    """Return the cell of a group or a mapped task: its worst state, and below it a strip of all."""
    if not counts:
        return NO_CELL
    state = worst(counts)
    strip = "".join(f"<b class={band}></b>" for band in bands(counts)) if len(counts) > 1 else ""
    return f'<td class="{state} m">{strip}'
