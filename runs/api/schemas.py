"""Decides how runs, task instances, earlier tries, XComs and pools look in the REST API."""

from typing import Any

from dags_app.api.schemas import VERSION
from orchestrator.rest.schemas import Schema
from runs.models import TaskInstance

RUN = Schema(
    "DAGRunResponse",
    "dag_id",
    "logical_date",
    "queued_at",
    "start_date",
    "end_date",
    "duration",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "run_type",
    "state",
    "triggered_by",
    "triggering_user_name",
    "conf",
    "note",
    "bundle_version",
    "partition_key",
    "partition_date",
    dag_run_id="run_id",
    dag_display_name="shown_dag_name",
    # No scheduler has looked at a run that has not begun.
    last_scheduling_decision=lambda run: run.updated_at if run.start_date else None,
    dag_versions=lambda run: [VERSION.of(version) for version in run.shown_versions],
)

TRY = Schema(
    "TaskInstanceHistoryResponse",
    "task_id",
    "dag_id",
    "map_index",
    "start_date",
    "end_date",
    "duration",
    "state",
    "try_number",
    "max_tries",
    "pool",
    "pool_slots",
    "queue",
    "priority_weight",
    "pid",
    "executor",
    dag_run_id="run_id",
    dag_display_name="shown_dag_name",
    task_display_name=lambda ti: ti.task_display_name or ti.task_id,
    hostname=lambda ti: ti.hostname or "",
    unixname=lambda ti: ti.unixname or None,
    operator=lambda ti: ti.operator or None,
    operator_name=lambda ti: ti.custom_operator_name or ti.operator or None,
    queued_when="queued_dttm",
    scheduled_when="scheduled_dttm",
    executor_config=lambda ti: str(ti.executor_config or {}),
    dag_version=lambda ti: VERSION.optional(ti.shown_version),
)


def _trigger(ti: TaskInstance) -> dict[str, Any] | None:
    trigger = ti.shown_trigger  # type: ignore[attr-defined]
    if trigger is None:
        return None
    # The arguments may hold secrets; Airflow leaves them empty too.
    return {
        "id": trigger.id,
        "classpath": trigger.classpath,
        "kwargs": "{}",
        "created_date": trigger.created_date,
        "queue": trigger.queue,
        "triggerer_id": None,
    }


TASK_INSTANCE = TRY.extended(
    "TaskInstanceResponse",
    "id",
    "note",
    rendered_map_index=lambda ti: ti.rendered_map_index or (str(ti.map_index) if ti.map_index >= 0 else None),
    logical_date="dag_run.logical_date",
    run_after="dag_run.run_after",
    rendered_fields="shown_fields",
    trigger=_trigger,
    triggerer_job=lambda ti: None,
)

XCOM = Schema(
    "XComResponse",
    "key",
    "timestamp",
    "map_index",
    "task_id",
    "dag_id",
    "run_id",
    logical_date="dag_run.logical_date",
    run_after="dag_run.run_after",
    dag_display_name="shown_dag_name",
    task_display_name="shown_task_name",
)

POOL = Schema(
    "PoolResponse",
    "slots",
    "description",
    "include_deferred",
    "occupied_slots",
    "running_slots",
    "queued_slots",
    "scheduled_slots",
    "open_slots",
    "deferred_slots",
    name="pool",
    team_name=lambda pool: None,
)
