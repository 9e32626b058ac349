"""Decides how a form shows what it is about to change: run by run, task by task, each with a box where there are not too many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.http import QueryDict

from runs.models import DagRun, TaskInstance

# More than this is no list that anybody reads: it is counted, its beginning is shown, and all of it is meant.
MOST_BOXES = 500
LONGEST_NOTE = 1000


class FormRefusedError(ValueError):
    """What a form asks for makes no sense; the text says why, for the person who sent it."""


@dataclass(frozen=True, slots=True)
class AffectedTask:
    """A task with those of its instances that are reached."""

    task_id: str
    rows: Sequence[TaskInstance]

    @property
    def is_mapped(self) -> bool:
        """True where indexes are told apart."""
        return len(self.rows) > 1 or self.rows[0].map_index >= 0


@dataclass(frozen=True, slots=True)
class AffectedRun:
    """A run with what is reached of it, what its version brings or takes, and the marker that led there."""

    run: DagRun
    tasks: Sequence[AffectedTask]
    by: TaskInstance | None = None
    version: int | None = None
    new_tasks: Sequence[str] = ()
    removed_tasks: Sequence[str] = ()

    @property
    def total(self) -> int:
        """How many task instances."""
        return sum(len(task.rows) for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Affected:
    """All of it; ``runs`` holds no more than ``MOST_BOXES`` task instances."""

    runs: Sequence[AffectedRun]
    total: int
    run_total: int
    notes: Sequence[str] = field(default=())

    @property
    def has_boxes(self) -> bool:
        """True where every task instance is listed, so that single ones can be left out."""
        return self.total <= MOST_BOXES

    @property
    def hidden(self) -> int:
        """How many are not listed."""
        return self.total - sum(run.total for run in self.runs)

    @property
    def running(self) -> int:
        """How many of the listed ones run."""
        return sum(row.state == "running" for run in self.runs for task in run.tasks for row in task.rows)


def tasks_of(rows: Iterable[TaskInstance]) -> list[AffectedTask]:
    """Return rows, which are ordered by task and index, by task."""
    return [AffectedTask(task_id, list(some)) for task_id, some in groupby(rows, key=lambda row: row.task_id)]


def of_rows(rows: Sequence[TaskInstance]) -> Affected:
    """Return rows that are ordered by run, task and index."""
    runs = [AffectedRun(run, tasks_of(some)) for run, some in groupby(rows[:MOST_BOXES], key=lambda row: row.dag_run)]
    return Affected(runs, len(rows), len({row.dag_run_id for row in rows}))


def chosen_rows(data: QueryDict, rows: Sequence[TaskInstance]) -> list[TaskInstance]:
    """Return what is left of the rows by the boxes of the form: the attempts that the person saw and did not take out.

    What began anew since has another id and is left alone.
    """
    if data.get("boxes") != "yes":
        return list(rows)
    ticked = set(data.getlist("row"))
    return [row for row in rows if str(row.pk) in ticked]
