"""Decides what a weight strategy or ``task_instance_mutation_hook`` can read and set before there is a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from orchestrator.sdk.definitions.shown_words import DagRunType
from orchestrator.sdk.definitions.task_instance import TaskInstanceKey
from orchestrator.sdk.serialization.spec import TaskSpec

EVERY_TRY = ("queue", "priority_weight")
FIRST_TRY = ("pool", "pool_slots", "executor", "executor_config", "max_tries")
# Columns of Airflow's tables that have no value before there is a run.
_RUN_UNKNOWN = (
    *("id", "run_id", "state", "logical_date", "data_interval_start", "data_interval_end", "run_after", "queued_at"),
    *("start_date", "end_date", "created_at", "updated_at", "last_scheduling_decision", "triggered_by", "triggering_user_name"),
    *("partition_key", "partition_date", "backfill_id", "note", "created_dag_version_id", "bundle_version", "version_number"),
    *("creating_job_id", "scheduled_by_job_id", "log_template_id", "span_status", "context_carrier"),
    *("backfill", "backfill_max_active_runs", "created_dag_version", "dag_model", "dag_run_note", "duration"),
)
_RUN_EMPTY = ("dag_versions", "deadlines", "task_instances", "task_instances_histories")
_INSTANCE_UNKNOWN = (
    *("id", "run_id", "state", "dag_run", "dag_model", "dag_version", "dag_version_id", "start_date", "end_date", "duration"),
    *("queued_dttm", "scheduled_dttm", "updated_at", "last_heartbeat_at", "logical_date", "note", "rendered_map_index"),
    *("next_method", "next_kwargs", "trigger_id", "trigger_timeout", "external_executor_id", "pid", "queued_by_job_id"),
    *("retry_delay_override", "retry_reason", "unixname", "span_status", "context_carrier", "run_after", "log_url"),
    *("hitl_detail", "mark_success_url", "rendered_task_instance_fields", "start_trigger_args", "task_instance_note"),
    *("trigger", "triggerer_job"),
)
log = logging.getLogger(__name__)


class PlannedDagRun:
    """What a hook gets as ``dag_run``: its DAG and kind; the rest is None or empty, for it is not known before there is one."""

    log = log

    def __init__(self, dag: Any, run_type: DagRunType) -> None:
        for name in _RUN_UNKNOWN:
            setattr(self, name, None)
        self.dag, self.dag_id, self.run_type, self.clear_number = dag, dag.dag_id, run_type, 0
        self.max_active_runs = dag.max_active_runs
        self.conf: dict[str, Any] = {}
        for name in _RUN_EMPTY:
            setattr(self, name, [])
        self.stats_tags = {"dag_id": self.dag_id, "run_type": run_type}

    def get_dag(self) -> Any:
        """Return the DAG."""
        return self.dag


class PlannedTaskInstance:
    """What a strategy or hook gets: the attributes of a task instance that are known before there is a run."""

    log = log
    task: Any
    is_premature = test_mode = False
    set_in_vain: Sequence[str] = ()

    def __init__(self, task: Any, spec: TaskSpec, dag_id: str, try_number: int) -> None:
        for name in _INSTANCE_UNKNOWN:
            setattr(self, name, None)
        self.task, self.dag_id, self.task_id, self.map_index = task, dag_id, spec.task_id, -1
        self.operator = self.operator_name = self.custom_operator_name = spec.task_type
        self.try_number, self.hostname = try_number, ""
        self.max_tries = spec.retries
        self.pool, self.pool_slots, self.queue = spec.pool, spec.pool_slots, spec.queue
        self.executor, self.executor_config = spec.executor, dict(spec.executor_config or {})
        self.priority_weight = spec.priority_weight_total
        self.run_as_user = getattr(task, "run_as_user", None)

    @property
    def task_display_name(self) -> str:
        """Return what people see in place of the task id."""
        return str(getattr(self.task, "task_display_name", None) or self.task_id)

    @property
    def next_try_number(self) -> int:
        """Return the number of the try that is planned."""
        return self.try_number + 1

    @property
    def key(self) -> TaskInstanceKey:
        """Return the key; its run has no id yet."""
        return TaskInstanceKey(self.dag_id, self.task_id, "", self.try_number, self.map_index)

    @property
    def stats_tags(self) -> dict[str, str]:
        """Return what metrics of the task are tagged with."""
        return {"dag_id": self.dag_id, "task_id": self.task_id}

    def get_dag_id(self) -> str:
        """Return the DAG id."""
        return self.dag_id

    def get_executor_name(self) -> str | None:
        """Return the name of the executor, None for the first of the configuration."""
        return self.executor

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note in ``set_in_vain`` what is set inside of the block and no attempt takes from it."""
        before = dict(vars(self))
        yield
        taken = {*EVERY_TRY, *FIRST_TRY}
        self.set_in_vain = [
            name for name, value in vars(self).items() if name not in taken and value is not before.get(name, self)
        ]
