"""Decides how people and programs change what runs: trigger, clear, set a state.

Functions open no transaction: the interface that calls them does, around one call.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.database import for_update, notify_on_commit
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import DataInterval, decode_timetable
from orchestrator.sdk.serialization.spec import DagSpec
from runs import transitions
from runs.changes import SCHEDULER_TOPIC
from runs.models import DagRun, TaskInstance
from runs.param_check import ParamsInvalidError, check_params
from runs.run_ids import run_id_of
from runs.services_xcom import xcom_delete, xcom_set
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState, DagRunType
from runs.states import TaskInstanceState as S

__all__ = [
    "DagUnavailableError",
    "ParamsInvalidError",
    "RunExistsError",
    "run_clear",
    "run_set_state",
    "run_trigger",
    "task_instances_clear",
    "xcom_delete",
    "xcom_set",
]


class RunExistsError(Exception):
    """The DAG has a run with this run_id or this logical date already."""


class DagUnavailableError(Exception):
    """The DAG has no version that can run, or does not allow this kind of run."""


def run_trigger(
    *,
    dag: Dag,
    run_id: str | None = None,
    logical_date: datetime | None = None,
    run_after: datetime | None = None,
    data_interval: tuple[datetime, datetime] | None = None,
    conf: dict[str, Any] | None = None,
    note: str | None = None,
    triggered_by: str = "rest_api",
    user_name: str | None = None,
    run_type: str = DagRunType.MANUAL,
    partition_key: str | None = None,
) -> DagRun:
    """Create a queued run.

    Args:
        run_id: made as Airflow makes it where not given.
        logical_date: None for a run without one; its data interval is then empty too.
        run_after: the run does not begin earlier; now by default.
        data_interval: start and end; by default what the timetable infers for the logical date.
        conf: checked against the DAG's params.

    Raises:
        DagUnavailableError: the DAG has no readable version, or its ``allowed_run_types`` leave this kind out.
        ParamsInvalidError: ``conf`` does not fit the params; the text names the param.
        RunExistsError: the run_id or the logical date is taken.
    """
    spec = _spec(dag, run_type)
    check_params(spec.params, conf or {})
    now = utcnow()
    run_after = run_after or now
    interval = data_interval or _interval(spec, logical_date, run_after)
    run_id = run_id or run_id_of(run_type, run_after=run_after, unique=logical_date is None)
    try:
        with transaction.atomic():
            run = DagRun.objects.create(
                dag=dag,
                run_id=run_id,
                run_type=run_type,
                state=DagRunState.QUEUED,
                logical_date=logical_date,
                data_interval_start=interval[0] if interval else None,
                data_interval_end=interval[1] if interval else None,
                run_after=run_after,
                queued_at=now,
                conf=conf or {},
                note=note,
                note_user=user_name if note else None,
                triggered_by=triggered_by,
                triggering_user_name=user_name,
                partition_key=partition_key,
                created_dag_version_id=dag.latest_version_id,
                bundle_version=dag.bundle_version,
            )
    except IntegrityError as error:
        taken = f"run_id {run_id!r}" + (f" or logical date {logical_date.isoformat()}" if logical_date else "")
        raise RunExistsError(f"DAG {dag.dag_id!r} has a run with {taken} already") from error
    notify_on_commit(SCHEDULER_TOPIC)
    return run


def _spec(dag: Dag, run_type: str) -> DagSpec:
    if dag.latest_version_id is None:
        raise DagUnavailableError(f"DAG {dag.dag_id!r} has no version yet: wait for the DAG processor to read its file")
    try:
        spec = spec_of(dag.latest_version_id)
    except SpecUnreadableError as error:
        raise DagUnavailableError(str(error)) from error
    if spec.allowed_run_types is not None and run_type not in spec.allowed_run_types:
        allowed = ", ".join(spec.allowed_run_types)
        raise DagUnavailableError(f"DAG {dag.dag_id!r} allows runs of type {allowed}, not {run_type}")
    return spec


def _interval(spec: DagSpec, logical_date: datetime | None, run_after: datetime) -> DataInterval | None:
    if logical_date is None:
        return None
    return decode_timetable(spec.timetable).infer_manual_data_interval(run_after=logical_date.astimezone(UTC))


def run_set_state(run: DagRun, state: str, *, actor: str) -> DagRun:
    """Set a run to queued, success or failed; ending it ends its tasks, as Airflow's page does.

    Running tasks are stopped: set to success with the run, or failed with it; waiting ones are skipped by a failure and
    succeed with a success.
    """
    now = utcnow()
    if state == DagRunState.QUEUED:
        run_clear(run, actor=actor)
        _queue_again(for_update(DagRun.objects.filter(pk=run.pk)).get(), now=now, actor=actor)
    elif state in DAG_RUN_FINISHED:
        for_update(DagRun.objects.filter(pk=run.pk)).get()  # a clear at the same time waits, or was before
        unfinished = TaskInstance.objects.filter(dag_run=run).exclude(state__in=list(FINISHED))
        running = [S.RUNNING, S.DEFERRED, S.UP_FOR_RESCHEDULE, S.QUEUED]
        transitions.set_run_state(run.pk, state, now=now, actor=actor)
        if state == DagRunState.SUCCESS:
            transitions.mark(_ids(unfinished), S.SUCCESS, now=now, actor=actor)
        else:
            transitions.mark(_ids(unfinished.filter(state__in=running)), S.FAILED, now=now, actor=actor)
            transitions.mark(_ids(unfinished.exclude(state__in=running)), S.SKIPPED, now=now, actor=actor)
    run.refresh_from_db()
    return run


def run_clear(run: DagRun, *, actor: str, only_failed: bool = False) -> int:
    """Have the tasks of a run run again, all or those that failed; returns how many."""
    instances = TaskInstance.objects.filter(dag_run=run)
    if only_failed:
        instances = instances.filter(state__in=[S.FAILED, S.UPSTREAM_FAILED])
    return task_instances_clear(run, _ids(instances), actor=actor)


def task_instances_clear(run: DagRun, ids: Iterable[Any], *, actor: str) -> int:
    """Have these task instances of one run run again; a finished run is queued again. Returns how many were cleared."""
    now = utcnow()
    held = for_update(DagRun.objects.filter(pk=run.pk)).get()  # lock order: the run before its task instances
    cleared = transitions.clear(list(ids), now=now, actor=actor)
    if cleared:
        _queue_again(held, now=now, actor=actor)
    return len(cleared)


def _queue_again(run: DagRun, *, now: datetime, actor: str) -> None:
    """Have a finished run begin anew, under whichever scheduler starts it."""
    if run.state in DAG_RUN_FINISHED and transitions.set_run_state(run.pk, DagRunState.QUEUED, now=now, actor=actor):
        DagRun.objects.filter(pk=run.pk).update(scheduler_id=None, clear_number=F("clear_number") + 1)


def _ids(instances: Any) -> list[Any]:
    return list(instances.values_list("pk", flat=True))
