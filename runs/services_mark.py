"""Decides what becomes of task instances and runs that a person sets to success, failed or skipped.

Functions open no transaction: the interface that calls them does, around one call.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from dags_app.selectors import SpecUnreadableError
from orchestrator.database import for_update
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import Timetable, decode_timetable
from orchestrator.sdk.definitions.timetables.base import TimeRestriction
from orchestrator.sdk.serialization.spec import DagSpec
from runs import transitions
from runs.clear_scope import Chosen, ClearScope
from runs.clear_selection import named, spec_for_run
from runs.models import DagRun, TaskInstance
from runs.services_clear import ClearOptions, instances_clear
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState, DagRunType
from runs.states import TaskInstanceState as S

CHUNK = 500
# A worker, a trigger or a person has these; ending the run ends them, and the others never begin.
UNDER_WAY = (S.RUNNING, S.DEFERRED, S.UP_FOR_RESCHEDULE, S.AWAITING_INPUT)
_BY_SCHEDULE = (DagRunType.SCHEDULED, DagRunType.BACKFILL)


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """Tasks of one run that get a state, with their relatives and the neighbouring runs as asked.

    ``resumes_below``: what failed below them runs again.
    """

    run: DagRun
    chosen: Chosen
    state: str
    upstream: bool = False
    downstream: bool = False
    future: bool = False
    past: bool = False
    resumes_below: bool = True


def instances_to_mark(spec: DagSpec, request: MarkRequest) -> list[TaskInstance]:
    """Return the task instances that would change: those that do not have the state yet."""
    rows = TaskInstance.objects.filter(dag_run_id__in=_runs_of(spec, request)).filter(named(_reached(spec, request)))
    rows = rows.filter(Q(state=None) | ~Q(state=request.state))
    return list(rows.select_related("dag_run").order_by("dag_run_id", "task_id", "map_index"))


def instances_mark(spec: DagSpec, request: MarkRequest, *, actor: str) -> list[TaskInstance]:
    """Give the state, then clear what failed below; returns the rows that got the state, as they were."""
    rows, now = instances_to_mark(spec, request), utcnow()
    list(for_update(DagRun.objects.filter(pk__in={row.dag_run_id for row in rows})).order_by("pk"))
    _mark([row.pk for row in rows], request.state, now=now, actor=actor)
    if request.resumes_below:
        instances_clear(failed_below(spec, request), ClearOptions(actor))
    return rows


def _mark(ids: Sequence[UUID], state: str, *, now: datetime, actor: str) -> None:
    for start in range(0, len(ids), CHUNK):
        transitions.mark(ids[start : start + CHUNK], state, now=now, actor=actor)


def _reached(spec: DagSpec, request: MarkRequest) -> Chosen:
    scope, named_tasks = ClearScope(spec), request.chosen.task_ids
    reached = Chosen(set(request.chosen.tasks), set(request.chosen.indexes))
    if request.downstream:
        below = scope.relatives(named_tasks, "downstream")
        reached.tasks |= {task_id for task_id in below if not scope.tasks[task_id].is_teardown}
    if request.upstream:
        reached.tasks |= scope.relatives(named_tasks, "upstream")
    return reached


def failed_below(spec: DagSpec, request: MarkRequest) -> list[TaskInstance]:
    """Return what failed below the chosen tasks: a mark has it run again."""
    tasks = ClearScope(spec).subset(request.chosen.task_ids, downstream=True) - request.chosen.task_ids
    rows = TaskInstance.objects.filter(dag_id=request.run.dag_id, task_id__in=sorted(tasks))
    rows = rows.filter(state__in=(S.FAILED, S.UPSTREAM_FAILED))
    return list(_in_time(rows, request).select_related("dag_run"))


def _in_time(rows: QuerySet[TaskInstance], request: MarkRequest) -> QuerySet[TaskInstance]:
    run = request.run
    if not request.future and not request.past:
        return rows.filter(dag_run=run)
    if request.future and not request.past and run.logical_date is not None:
        return rows.filter(dag_run__logical_date__gte=run.logical_date)
    if request.past and not request.future and run.logical_date is not None:
        return rows.filter(dag_run__logical_date__lte=run.logical_date)
    return rows


def _runs_of(spec: DagSpec, request: MarkRequest) -> list[int]:
    """Return the run, and with ``future`` or ``past`` its neighbours; runs off the schedule of a DAG with one stay out."""
    run = request.run
    if run.logical_date is None or not (request.future or request.past):
        return [run.pk]
    timetable = decode_timetable(spec.timetable)
    if timetable.can_be_scheduled and not timetable.periodic:
        return [run.pk]
    near = DagRun.objects.filter(dag_id=run.dag_id, logical_date__isnull=False)
    if not request.future:
        near = near.filter(logical_date__lte=run.logical_date)
    if not request.past:
        near = near.filter(logical_date__gte=run.logical_date)
    rows = near.order_by("pk").values_list("pk", "run_type", "logical_date")
    on = (pk for pk, kind, date in rows if kind in _BY_SCHEDULE or not timetable.can_be_scheduled or _is_on(timetable, date))
    return [run.pk, *(pk for pk in on if pk != run.pk)]


def _is_on(timetable: Timetable, date: datetime | None) -> bool:
    if date is None:
        return False
    info = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest=date, latest=date, catchup=True)
    )
    return info is not None and info.logical_date == date


def run_set_state(run: DagRun, state: str, *, actor: str) -> DagRun:
    """Set a run to queued, success or failed.

    Ending it sets what is under way to the same state and skips what has not begun. Teardowns are left to run: where one
    is unfinished, the run goes on until it has ended. Queued lets the scheduler judge the run anew and clears nothing.
    """
    now = utcnow()
    locked = for_update(DagRun.objects.select_related("dag").filter(pk=run.pk)).get()  # a clear at the same time waits
    DagRun.objects.filter(pk=run.pk).exclude(stopped_by=None).update(stopped_by=None)
    if state == DagRunState.QUEUED:
        if transitions.set_run_state(run.pk, state, now=now, actor=actor):
            DagRun.objects.filter(pk=run.pk).update(scheduler_id=None)
    elif state in DAG_RUN_FINISHED:
        _end_run(locked, state, now=now, actor=actor)
    run.refresh_from_db()
    return run


def run_stop(run: DagRun, *, actor: str) -> bool:
    """End a run that is not finished as failed, for good; returns False where it is finished already (C21-b).

    As ``run_set_state``, except that a run whose teardowns still run is failed after them whatever its tasks say: of a run in
    which nothing had begun, the rest is skipped, which alone would count as success.
    """
    now = utcnow()
    locked = for_update(DagRun.objects.filter(pk=run.pk)).get()
    if locked.state in DAG_RUN_FINISHED:
        return False
    DagRun.objects.filter(pk=run.pk).update(stopped_by=actor)
    _end_run(locked, DagRunState.FAILED, now=now, actor=actor)
    return True


def _end_run(run: DagRun, state: str, *, now: datetime, actor: str) -> None:
    teardowns = _teardowns(run)
    unfinished = TaskInstance.objects.filter(dag_run=run).exclude(state__in=list(FINISHED)).order_by("pk")
    rows = list(unfinished.values_list("pk", "task_id", "state"))
    work = [(pk, before) for pk, task_id, before in rows if task_id not in teardowns]
    if len(work) == len(rows):
        transitions.set_run_state(run.pk, state, now=now, actor=actor)
    _mark([pk for pk, before in work if before in UNDER_WAY], S(state), now=now, actor=actor)
    _mark([pk for pk, before in work if before not in UNDER_WAY], S.SKIPPED, now=now, actor=actor)


def _teardowns(run: DagRun) -> Collection[str]:
    try:
        return {task.task_id for task in spec_for_run(run).tasks if task.is_teardown}
    except SpecUnreadableError:
        return ()  # nothing of it can run any more


__all__ = ["MarkRequest", "failed_below", "instances_mark", "instances_to_mark", "run_set_state", "run_stop"]
