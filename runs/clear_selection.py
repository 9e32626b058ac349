"""Decides which task instances a request to clear means: by run or by logical dates, by task, by state."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from dags_app.models import Dag, DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.sdk.serialization.spec import DagSpec
from runs.clear_scope import Chosen, ClearScope, Marker
from runs.models import DagRun, TaskInstance
from runs.states import TaskInstanceState as S

_FAILED = (S.FAILED, S.UPSTREAM_FAILED)


@dataclass(frozen=True, slots=True)
class ClearRequest:
    """What a person asks to clear in one DAG.

    Args:
        run: None to choose runs by ``start`` and ``end`` (logical dates, both included, None for no bound).
        markers: task ids, or (task id, map index); None for all tasks.
        future, past: with ``run``: also the later or earlier runs by logical date.
        only_failed, only_running: keep only those states; both together keep both.
    """

    run: DagRun | None = None
    markers: tuple[Marker, ...] | None = None
    start: datetime | None = None
    end: datetime | None = None
    upstream: bool = False
    downstream: bool = False
    future: bool = False
    past: bool = False
    only_failed: bool = False
    only_running: bool = False


def spec_for_run(run: DagRun) -> DagSpec:
    """Return the DAG that decides a run: its own version, or the newest where its bundle keeps no versions.

    Raises ``SpecUnreadableError`` where that version is gone or cannot be read.
    """
    version_id = version_for_run(run)
    if version_id is None:
        raise SpecUnreadableError(f"the version of DAG {run.dag_id} that run {run.run_id} was made for was deleted")
    return spec_of(version_id)


def version_for_run(run: DagRun) -> UUID | None:
    """Return the id of the version by which a run is decided."""
    return versions_for_runs([run])[run.pk]


def deciding_version(run: DagRun, own: DagVersion | None, newest: DagVersion | None) -> DagVersion | None:
    """Return the version by which a run is decided, out of its own and the newest of its DAG; as ``version_for_run``."""
    return newest or own if run.bundle_version is None or own is None else own


def versions_for_runs(runs: Collection[DagRun]) -> dict[int, UUID | None]:
    """Return the ids of the versions by which runs are decided, by run; one query at most."""
    following = {run.pk: run.dag_id for run in runs if run.bundle_version is None or run.created_dag_version_id is None}
    newest: dict[str, UUID | None] = {}
    if following:
        newest = dict(Dag.objects.filter(pk__in=set(following.values())).values_list("pk", "latest_version_id"))
    return {run.pk: newest.get(following.get(run.pk, "")) or run.created_dag_version_id for run in runs}


def chosen_instances(dag_id: str, spec: DagSpec, request: ClearRequest) -> list[TaskInstance]:
    """Return the task instances of the request, by run, task and index; one query, and one per thousand tasks named."""
    rows = _of_runs(dag_id, request)
    states = [*(_FAILED if request.only_failed else ()), *([S.RUNNING] if request.only_running else [])]
    if states:
        rows = rows.filter(state__in=states)
    if request.markers is not None:
        chosen = ClearScope(spec).reach(
            Chosen.of(request.markers),
            upstream=request.upstream,
            downstream=request.downstream,
            one_run=request.run is not None,
        )
        rows = rows.filter(named(chosen))
    return list(rows.select_related("dag_run").order_by("dag_run_id", "task_id", "map_index"))


def named(chosen: Chosen) -> Q:
    """Return the condition for what is chosen."""
    wanted = Q(task_id__in=sorted(chosen.tasks))
    by_task: dict[str, list[int]] = {}
    for task_id, map_index in chosen.indexes:
        by_task.setdefault(task_id, []).append(map_index)
    for task_id, indexes in by_task.items():
        wanted |= Q(task_id=task_id, map_index__in=indexes)
    return wanted


def _of_runs(dag_id: str, request: ClearRequest) -> QuerySet[TaskInstance]:
    rows = TaskInstance.objects.filter(dag_id=dag_id)
    start, end, run = request.start, request.end, request.run
    if run is not None:
        if not request.future and not request.past:
            return rows.filter(dag_run=run)
        start = end = run.logical_date
    if start is not None and not request.past:
        rows = rows.filter(dag_run__logical_date__gte=start)
    if end is not None and not request.future:
        rows = rows.filter(dag_run__logical_date__lte=end)
    return rows


def by_run(rows: Iterable[TaskInstance]) -> dict[int, list[TaskInstance]]:
    """Group task instances by their run, runs by primary key: the order in which they are locked."""
    grouped: dict[int, list[TaskInstance]] = {}
    for row in sorted(rows, key=lambda row: row.dag_run_id):
        grouped.setdefault(row.dag_run_id, []).append(row)
    return grouped
