"""Decides which indexes of a mapped task the grid shows as rows when one opens it: those in the worst states, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from runs.models import TaskInstance
from runs.pages.worst import known, rank_of_row

# All others are one link away, on the page of the mapped task.
MOST_INDEXES = 20
# So many open tasks show theirs: for each of them all its indexes in all shown runs are gone through.
MOST_OPEN = 5


@dataclass(slots=True)
class Index:
    """One index: its number, what the author's template calls it, and its state by run."""

    number: int
    label: str = ""
    states: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Indexes:
    """The indexes of a task that are shown, and whether there are more."""

    shown: list[Index]
    has_more: bool


def read_indexes(run_ids: Sequence[int], tasks: Sequence[str]) -> dict[str, Indexes]:
    """Return the indexes of the first ``MOST_OPEN`` tasks, by a query for which these are and one for their cells."""
    chosen = _chosen(run_ids, tasks[:MOST_OPEN])
    found = {task: {number: Index(number) for number in numbers[:MOST_INDEXES]} for task, numbers in chosen.items()}
    for task, run, number, state, label in _cells(run_ids, {task: list(indexes) for task, indexes in found.items()}):
        found[task][number].states[run] = known(state)
        found[task][number].label = label or found[task][number].label
    return {
        task: Indexes([found[task][number] for number in sorted(found[task])], len(numbers) > MOST_INDEXES)
        for task, numbers in chosen.items()
    }


def _chosen(run_ids: Sequence[int], tasks: Sequence[str]) -> dict[str, list[int]]:
    """Of each task the indexes in the worst states, one more than is shown."""
    chosen: dict[str, list[int]] = {task: [] for task in tasks}
    if not tasks:
        return chosen
    rows = TaskInstance.objects.filter(dag_run_id__in=run_ids, task_id__in=tasks, map_index__gte=0)
    ranked = rows.values("task_id", "map_index").annotate(worst=Min(rank_of_row()))
    place = Window(RowNumber(), partition_by="task_id", order_by=["worst", "map_index"])
    placed = ranked.annotate(place=place).filter(place__lte=MOST_INDEXES + 1).order_by("task_id", "place")
    for task, index in placed.values_list("task_id", "map_index"):
        chosen[task].append(index)
    return chosen


def _cells(run_ids: Sequence[int], wanted: dict[str, list[int]]) -> QuerySet[TaskInstance, Any]:
    places = Q()
    for task, numbers in wanted.items():
        places |= Q(task_id=task, map_index__in=numbers)
    rows = TaskInstance.objects.filter(places, dag_run_id__in=run_ids) if wanted else TaskInstance.objects.none()
    return rows.order_by("dag_run_id").values_list("task_id", "dag_run_id", "map_index", "state", "rendered_map_index")
