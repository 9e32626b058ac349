"""Decides what a recursive clear reaches in other DAGs, by the ``ExternalTaskMarker`` tasks among what is cleared (C21-d)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from dags_app.selectors import SpecUnreadableError
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.clear_selection import ClearRequest, by_run, chosen_instances, spec_for_run
from runs.marker_templates import MarkerTemplateError, rendered, rendered_instant, run_names
from runs.models import DagRun, TaskInstance

DEFAULT_DEPTH = 10  # of a marker in a document that does not say it


class RecursionDepthError(Exception):
    """Markers lead further than the first of them allows."""


class MarkerError(Exception):
    """A marker leads to something that cannot be found without running the author's code, or cannot be read."""


@dataclass(slots=True)
class Reached:
    """Task instances of one run, and the marker that led there (None for what was asked for)."""

    run: DagRun
    rows: list[TaskInstance]
    by: TaskInstance | None = None


@dataclass(slots=True)
class _Search:
    """What was found so far. ``depth`` is the number of DAGs that may follow one another, as the first marker says."""

    request: ClearRequest
    found: list[Reached] = field(default_factory=list)
    seen: set[object] = field(default_factory=set)
    depth: int | None = None

    def take(self, rows: Iterable[TaskInstance], by: TaskInstance | None) -> list[Reached]:
        """Keep what is new, run by run."""
        new = [row for row in rows if row.pk not in self.seen]
        self.seen.update(row.pk for row in new)
        reached = [Reached(some[0].dag_run, some, by) for some in by_run(new).values()]
        self.found += reached
        return reached


def with_markers(rows: list[TaskInstance], request: ClearRequest) -> list[Reached]:
    """Return the task instances with all that their markers lead to, run by run, nearest first.

    A marker leads to its task in the run of the other DAG for its logical date, and to everything below it.

    Raises:
        RecursionDepthError: more DAGs follow one another than the ``recursion_depth`` of the first marker allows.
        MarkerError: the date or the DAG of a marker cannot be read.
    """
    search = _Search(request)
    level, number = search.take(rows, None), 0
    while level:
        number += 1
        level = [nearer for reached in level for nearer in _next(reached, search, number)]
    return search.found


def _next(reached: Reached, search: _Search, number: int) -> list[Reached]:
    tasks = _spec(reached.run).task_by_id()
    following: list[Reached] = []
    for row in reached.rows:
        task = tasks.get(row.task_id)
        if task is None or not is_marker(task):
            continue
        depth = int(task.attributes.get("recursion_depth") or DEFAULT_DEPTH)
        search.depth = depth if search.depth is None else search.depth
        if number > search.depth:
            raise RecursionDepthError(
                f"Maximum recursion depth {search.depth} reached for ExternalTaskMarker {row.task_id} of DAG {row.dag_id}: "
                "either too much is to be cleared, or the markers form a circle; raise recursion_depth of the first marker"
            )
        following += search.take(_behind(row, task, search.request), row)
    return following


def is_marker(task: TaskSpec) -> bool:
    """Return whether a task stands for a task of another DAG that depends on it."""
    return task.task_type == "ExternalTaskMarker" or "recursion_depth" in task.attributes


def _behind(row: TaskInstance, task: TaskSpec, request: ClearRequest) -> list[TaskInstance]:
    names = run_names(row.dag_run)
    try:
        dag_id = rendered(str(task.attributes.get("external_dag_id") or ""), names)
        task_id = rendered(str(task.attributes.get("external_task_id") or ""), names)
        date = rendered_instant(str(task.attributes.get("logical_date") or "{{ logical_date.isoformat() }}"), names)
    except MarkerTemplateError as error:
        raise MarkerError(f"ExternalTaskMarker {row.task_id} of DAG {row.dag_id}, run {row.run_id}: {error}") from error
    run = DagRun.objects.filter(dag_id=dag_id, logical_date=date).first()
    if run is None:
        return []  # nothing ran there yet, so nothing is to be cleared
    spec = _spec(run)
    wanted = replace(request, run=run, markers=(task_id,), downstream=True, upstream=False, future=False, past=False)
    return chosen_instances(dag_id, spec, wanted)


def _spec(run: DagRun) -> DagSpec:
    try:
        return spec_for_run(run)
    except SpecUnreadableError as error:
        raise MarkerError(str(error)) from error
