"""Decides how the durations of a task over its last runs look, and what is usual for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runs.models import AttemptFields, DagRun, TaskInstance
from runs.pages.ti_address import path_of_instance
from runs.pages.usual import deviation, usual

HEIGHT = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One run: where its bar stands in the picture, and where it leads."""

    ti: TaskInstance
    url: str
    x: int
    y: int
    height: int
    is_present: bool


@dataclass(frozen=True, slots=True)
class Past:
    """The task in the last runs up to this one, oldest first. ``usual`` is the median of its successes in seconds."""

    bars: list[Bar]
    usual: float | None
    longest: float | None
    failed: int

    def difference(self, seconds: float | None) -> str:
        """Say how much longer or shorter than usual something took: ``+38 %``; empty where nobody would care."""
        return deviation(seconds, self.usual)


def past_of(ti: AttemptFields, run: DagRun, last: Sequence[Sequence[int]]) -> Past:
    """Return the durations of a task instance in the last runs up to its own, which come with it; one query."""
    runs = {pk: place for place, (pk,) in enumerate(last)}
    rows = TaskInstance.objects.filter(dag_run_id__in=list(runs), task_id=ti.task_id, map_index=ti.map_index)
    found = sorted(rows.only(*_NEEDED), key=lambda row: -runs[row.dag_run_id])
    done = [row.duration for row in found if row.state == "success" and row.duration is not None and row.dag_run_id != run.pk]
    longest = max((row.duration for row in found if row.duration is not None), default=None)
    bars = [_bar(place, row, longest, run) for place, row in enumerate(found)]
    failed = sum(row.state == "failed" for row in found)
    return Past(bars, usual(done), longest, failed)


_NEEDED = ("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "state", "duration", "start_date")


def _bar(place: int, row: Any, longest: float | None, run: DagRun) -> Bar:
    height = max(3, round(HEIGHT * (row.duration or 0) / longest)) if longest else 3
    return Bar(row, path_of_instance(row), place * 10, HEIGHT - height, height, row.dag_run_id == run.pk)
