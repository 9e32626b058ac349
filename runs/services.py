"""Decides how people and programs start runs, and names the other ways to change what runs: clear, mark, XComs.

Functions open no transaction: the interface that calls them does, around one call.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.database import notify_on_commit
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import DataInterval, decode_timetable
from orchestrator.sdk.serialization.spec import DagSpec
from runs.assets.partitioned import check_key
from runs.changes import SCHEDULER_TOPIC
from runs.models import DagRun
from runs.param_check import ParamsInvalidError, check_params
from runs.run_ids import run_id_of
from runs.services_clear import run_clear, task_instances_clear
from runs.services_mark import run_set_state
from runs.services_xcom import xcom_delete, xcom_set
from runs.states import DagRunState, DagRunType

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
        PartitionKeyError: the DAG does not take this partition key.
        DagUnavailableError: the DAG has no readable version, or its ``allowed_run_types`` leave this kind out.
        ParamsInvalidError: ``conf`` does not fit the params; the text names the param.
        RunExistsError: the run_id or the logical date is taken.
    """
    spec = _spec(dag, run_type)
    check_params(spec.params, conf or {})
    partition_date = check_key(spec, partition_key)
    now = utcnow()
    run_after = run_after or now
    interval = data_interval or _interval(spec, logical_date, run_after)
    run_id = run_id or _free_run_id(dag, run_type, run_after, logical_date)
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
                partition_date=partition_date,
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


def _free_run_id(dag: Dag, run_type: str, run_after: datetime, logical_date: datetime | None) -> str:
    """Return the id of a run that was given none: Airflow adds random characters to those of operators alone."""
    plain = run_id_of(run_type, run_after=run_after)
    if logical_date is not None:
        return plain
    taken = run_type == DagRunType.OPERATOR_TRIGGERED or DagRun.objects.filter(dag=dag, run_id=plain).exists()
    return run_id_of(run_type, run_after=run_after, unique=True) if taken else plain


def _interval(spec: DagSpec, logical_date: datetime | None, run_after: datetime) -> DataInterval | None:
    if logical_date is None:
        return None
    return decode_timetable(spec.timetable).infer_manual_data_interval(run_after=logical_date.astimezone(UTC))
