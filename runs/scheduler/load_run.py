"""Decides how a running DAG run is read into memory, and that it has a row for every task of its version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from dags_app.models import DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.expansion import initial_map_indexes
from runs.metrics.created import count_created
from runs.models import DagRun, RunEvent, TaskInstance
from runs.run_graph import RunGraph
from runs.run_nodes import InstanceState
from runs.run_plan import RunPlan
from runs.scheduler.branch_choices import branches_of, read_choices
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.scheduler.look_back import past_facts
from runs.scheduler.ready import Limits
from runs.states import UNFINISHED, TaskInstanceState
from runs.task_dates import has_instances

CHUNK = 500
_WAITS_FOR_A_TIME = (TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.UP_FOR_RESCHEDULE)
Row = tuple[Any, ...]
_NOT_WITH_A_WORKER = Q(state=None) | Q(state__in=[TaskInstanceState.SCHEDULED, *_WAITS_FOR_A_TIME])
_COLUMNS = ("id", "task_id", "map_index", "state", "try_number", "retry_at", "dag_version_id")


def load_run(holdings: Holdings, run: DagRun) -> OwnedRun:
    """Read ``run`` and hold it. Missing task instances are created in chunks, each its own transaction.

    Raises:
        SpecUnreadableError: the document of its version cannot be read; the caller sets the run aside.
    """
    version_id, hashes = _version_for(run)
    spec = spec_of(version_id)
    news, _ = RunEvent.objects.filter(dag_run_id=run.pk).delete()  # before the rows: news that come later are read later
    holdings.holds_due |= bool(news)
    rows = list(TaskInstance.objects.filter(dag_run_id=run.pk).values_list(*_COLUMNS))
    rows = _without_half_expanded(rows)
    tasks = {task.task_id: task.in_run(run.run_type) for task in spec.tasks}
    _follow_version(rows, version_id, tasks)
    rows = _without_removed(run, rows, tasks)
    here = [task for task in tasks.values() if has_instances(task, run.logical_date, run.run_type)]
    rows += _create(run, version_id, _missing(spec, here, rows))
    plan = _plan(version_id, hashes)
    graph = RunGraph(plan, [_known(row) for row in rows], past=past_facts(run, spec))
    branches, below = branches_of(spec)
    owned = OwnedRun(
        pk=run.pk,
        dag_id=run.dag_id,
        run_id=run.run_id,
        version_id=version_id,
        version_hashes=hashes,
        spec=spec,
        tasks=tasks,
        graph=graph,
        limits=_limits(run, spec.tasks, spec.max_active_tasks),
        ids={(row[1], row[2]): row[0] for row in rows},
        logical_date=run.logical_date,
        started_at=run.start_date,
        waits_for_past=any(task.depends_on_past or task.wait_for_downstream for task in spec.tasks),
        follows_versions=run.bundle_version is None,
        branches=branches,
        below_branches=below,
        run_type=run.run_type,
        is_backfill=run.backfill_id is not None,
    )
    holdings.hold(owned)
    read_choices(owned)
    _remember(holdings, owned, rows)
    return owned


def _remember(holdings: Holdings, owned: OwnedRun, rows: Iterable[tuple[Any, ...]]) -> None:
    for ti_id, task_id, map_index, state, _, retry_at, _ in rows:
        if task_id not in owned.tasks:
            continue
        if state in _WAITS_FOR_A_TIME or (state == TaskInstanceState.SCHEDULED and retry_at is not None):
            holdings.wake_at(retry_at or utcnow(), owned.pk, (task_id, map_index), ti_id)
        elif state == TaskInstanceState.SCHEDULED:
            holdings.ready.add(owned.candidate((task_id, map_index)))
    if owned.deadline is not None:
        holdings.end_by(owned.deadline, owned.pk)


def _without_half_expanded(rows: list[Row]) -> list[Row]:
    """Delete the rows of an expansion that died before its last step; it is decided again."""
    unexpanded = {row[1] for row in rows if row[2] < 0}
    half = {row[0] for row in rows if row[2] >= 0 and row[3] is None and row[1] in unexpanded}
    if not half:
        return rows
    ids = sorted(half)
    for start in range(0, len(ids), CHUNK):
        TaskInstance.objects.filter(id__in=ids[start : start + CHUNK], state=None).delete()
    return [row for row in rows if row[0] not in half]


def _without_removed(run: DagRun, rows: list[Row], tasks: Mapping[str, TaskSpec]) -> list[Row]:
    """Give up what waits for a slot although its task left the DAG, and bring back what was removed and is there again."""
    left = [row[0] for row in rows if row[3] == TaskInstanceState.SCHEDULED and row[1] not in tasks]
    back = [row[0] for row in rows if row[3] == TaskInstanceState.REMOVED and row[1] in tasks and row[2] < 0]
    if not left and not back:
        return rows
    now = utcnow()
    with transaction.atomic():
        transitions.decide_without_running(left, TaskInstanceState.REMOVED, now=now)
        transitions.clear(back, now=now, actor="scheduler")
    return list(TaskInstance.objects.filter(dag_run_id=run.pk).values_list(*_COLUMNS))


def _missing(spec: DagSpec, tasks: Iterable[TaskSpec], rows: Iterable[Row]) -> list[tuple[TaskSpec, int]]:
    """Return what a run lacks: whole tasks, and single indexes of those whose length is known from the start."""
    have: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        have[row[1]].add(row[2])
    missing = []
    for task in tasks:
        wanted, there = initial_map_indexes(spec, task), have.get(task.task_id, set())
        if not there or (-1 not in there and wanted != [-1]):
            missing += [(task, index) for index in wanted if index not in there]
    return missing


def _version_for(run: DagRun) -> tuple[UUID, tuple[str, str]]:
    """A run of a bundle without versions follows the newest version of its DAG, as in Airflow; others keep theirs."""
    version_id = run.created_dag_version_id
    if run.bundle_version is None:
        version_id = run.dag.latest_version_id or version_id
    if version_id is None:
        raise SpecUnreadableError(f"the version of DAG {run.dag_id} that run {run.run_id} was made for was deleted")
    found = DagVersion.objects.filter(pk=version_id).values_list("structure_hash", "attributes_hash").first()
    return version_id, found or ("", "")


@lru_cache(maxsize=128)
def _plan(version_id: UUID, hashes: tuple[str, str]) -> RunPlan:
    return RunPlan(spec_of(version_id))


def _known(row: tuple[Any, ...]) -> InstanceState:
    """Return a row as the graph sees it: that a worker began is no news for it."""
    state = TaskInstanceState(row[3]) if row[3] else None
    return InstanceState(row[1], row[2], TaskInstanceState.QUEUED if state is TaskInstanceState.RUNNING else state, row[4])


def _follow_version(rows: Iterable[Row], version_id: UUID, tasks: Mapping[str, TaskSpec]) -> None:
    """Let unfinished attempts run as the version says: their pool, queue and weight are the new ones too."""
    behind: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        if row[6] != version_id and row[3] in UNFINISHED and row[1] in tasks:
            behind[row[1]].append(row[0])
    for task_id, ids in behind.items():
        values = {name: value for name, value in instance_values(tasks[task_id]).items() if name != "max_tries"}
        for start in range(0, len(ids), CHUNK):
            chosen = TaskInstance.objects.filter(id__in=ids[start : start + CHUNK])
            chosen.filter(_NOT_WITH_A_WORKER).update(dag_version_id=version_id, **values)
            chosen.exclude(dag_version_id=version_id).update(dag_version_id=version_id)


def _create(run: DagRun, version_id: UUID, missing: list[tuple[TaskSpec, int]]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(missing), CHUNK):
        instances = [_instance(run, version_id, *pair) for pair in missing[start : start + CHUNK]]
        with transaction.atomic():
            # Another owner may have created some: its rows stand, and the run is read again at the first lost write.
            TaskInstance.objects.bulk_create(instances, ignore_conflicts=True)
        fault_point("load_run.after_create")
        yield from ((ti.id, ti.task_id, ti.map_index, None, 0, None, version_id) for ti in instances)
    count_created(run.dag_id, run.run_type, (task.task_type for task, _ in missing))


def _instance(run: DagRun, version_id: UUID, task: TaskSpec, map_index: int) -> TaskInstance:
    return TaskInstance(
        id=new_id(),
        map_index=map_index,
        dag_run_id=run.pk,
        dag_id=run.dag_id,
        run_id=run.run_id,
        dag_version_id=version_id,
        wait_reason="upstream",
        wait_since=run.start_date,
        updated_at=run.start_date,
        **instance_values(task),
    )


def instance_values(task: TaskSpec) -> dict[str, Any]:
    """Return the columns of a task instance that come from its task."""
    return {
        "task_id": task.task_id,
        "task_display_name": task.task_display_name or task.task_id,
        "operator": task.task_type,
        "custom_operator_name": task.operator_name or task.task_type,
        "max_tries": task.retries,
        "pool": task.pool,
        "pool_slots": task.pool_slots,
        "queue": task.queue,
        "priority_weight": task.priority_weight_total,
        "executor": task.executor,
        "executor_config": task.executor_config or {},
    }


def _limits(run: DagRun, tasks: Iterable[TaskSpec], max_active_tasks: int) -> Limits:
    capped = {
        task.task_id: (task.max_active_tis_per_dag, task.max_active_tis_per_dagrun)
        for task in tasks
        if task.max_active_tis_per_dag is not None or task.max_active_tis_per_dagrun is not None
    }
    return Limits(max_active_tasks, capped)
