"""Decides which failures kept a task from running: the failed tasks above it, and what each of them said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dags_app.selectors import SpecUnreadableError, spec_of_loaded
from orchestrator.counting import CountOf
from orchestrator.sdk.serialization.spec import DagSpec
from runs.cause_words import cause_words
from runs.fingerprints import first_line
from runs.models import TaskInstance
from runs.pages.ti_address import path_of_instance

MOST = 4
_NEEDED = ("id", "dag_id", "run_id", "task_id", "map_index", "rendered_map_index", "cause", "cause_detail")


@dataclass(frozen=True, slots=True)
class Root:
    """A failed task instance above, with its first line of error."""

    name: str
    url: str
    said: str


def roots_of(ti: TaskInstance) -> tuple[list[Root], int]:
    """Return the first failures above a task that did not run because of them, and how many there are; one query."""
    if ti.state != "upstream_failed" or ti.dag_version is None:
        return [], 0
    try:
        above = ancestors(spec_of_loaded(ti.dag_version), ti.task_id)
    except SpecUnreadableError:
        return [], 0
    rows = TaskInstance.objects.filter(dag_run_id=ti.dag_run_id, task_id__in=above, state="failed").order_by("end_date", "id")
    found: list[Any] = list(rows.only(*_NEEDED).annotate(total=CountOf(rows))[:MOST])
    return [_root(row) for row in found], found[0].total if found else 0


def ancestors(spec: DagSpec, task_id: str) -> set[str]:
    """Return all tasks above one."""
    tasks = spec.task_by_id()
    found: set[str] = set()
    left = [task_id]
    while left:
        task = tasks.get(left.pop())
        fresh = set(task.upstream_task_ids) - found if task else set()
        found |= fresh
        left += fresh
    return found


def _root(row: TaskInstance) -> Root:
    name = row.task_id if row.map_index < 0 else f"{row.task_id} [{row.rendered_map_index or row.map_index}]"
    said = first_line(row.cause_detail) or cause_words(row.cause)
    return Root(name, f"{path_of_instance(row)}#error", said[:300])
