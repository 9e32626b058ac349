"""Decides which metrics there are: name, type and tags as Airflow 3.3.2 sends them, and the older name with the tags in it.

``docs/metrics.md`` has the same table for people, with what each one counts and which of Airflow's are left out; a test
holds both together. What is not here is never sent under a name of Airflow's.
"""

# One metric is one row of a table, however wide.
# ruff: noqa: E501
from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: ``kind`` is counter, gauge or timer; ``tags`` are those that each value carries.

    ``legacy`` is Airflow's older name, made of the tags; ``is_ours`` says that Airflow has no such metric.
    """

    kind: str
    name: str
    tags: tuple[str, ...] = ()
    legacy: str | None = None
    is_ours: bool = False


_TI = ("dag_id", "task_id")
_RUN = ("dag_id", "run_type")
_EXECUTOR = ("executor_class_name", "status")
_POOL = ("pool_name",)
_QUEUED = ("dag_id", "queue", "task_id")

# fmt: off
_ROWS = (
    Metric("counter", "job_start", ("job_name",), "{job_name}_start"),
    Metric("counter", "job_end", ("job_name",), "{job_name}_end"),
    Metric("counter", "job_heartbeat_failure", ("job_name",), "{job_name}_heartbeat_failure"),
    Metric("counter", "scheduler_heartbeat"),
    Metric("counter", "dag_processor_heartbeat"),
    Metric("counter", "triggerer_heartbeat"),
    Metric("counter", "ti.start", _TI, "ti.start.{dag_id}.{task_id}"),
    Metric("counter", "ti.finish", ("dag_id", "state", "task_id"), "ti.finish.{dag_id}.{task_id}.{state}"),
    Metric("counter", "ti_failures", _TI),
    Metric("counter", "ti_successes", _TI),
    Metric("counter", "operator_failures", ("dag_id", "operator_name", "task_id"), "operator_failures_{operator_name}"),
    Metric("counter", "operator_successes", ("dag_id", "operator_name", "task_id"), "operator_successes_{operator_name}"),
    Metric("counter", "task_instances_without_heartbeats_killed", _TI),
    Metric("counter", "task_instance_created", ("dag_id", "run_type", "task_type"), "task_instance_created_{task_type}"),
    Metric("counter", "task_removed_from_dag", _RUN, "task_removed_from_dag.{dag_id}"),
    Metric("counter", "task_restored_to_dag", _RUN, "task_restored_to_dag.{dag_id}"),
    Metric("counter", "scheduler.tasks.killed_externally", _TI),
    Metric("counter", "scheduler.orphaned_tasks.cleared"),
    Metric("counter", "scheduler.orphaned_tasks.adopted"),
    Metric("counter", "scheduler.dag_bag.cache_hit"),
    Metric("counter", "scheduler.dag_bag.cache_miss"),
    Metric("counter", "dag.callback_exceptions", ("dag_id",)),
    Metric("counter", "dag_processing.file_path_queue_update_count"),
    Metric("counter", "dag_processing.processes", ("action", "file_path")),
    Metric("counter", "dag_processing.processor_timeouts", ("file_path",)),
    Metric("counter", "triggers.blocked_main_thread"),
    Metric("counter", "triggers.failed"),
    Metric("counter", "triggers.succeeded"),
    Metric("counter", "asset.updates"),
    Metric("counter", "asset.triggered_dagruns"),
    Metric("counter", "deadline_alerts.deadline_created", ("dag_id",)),
    Metric("counter", "deadline_alerts.deadline_missed", ("dag_id", "dagrun_id")),
    Metric("counter", "deadline_alerts.deadline_not_missed", ("dag_id", "dagrun_id")),
    Metric("counter", "deadline_alerts.callback_success", ("dag_id",)),
    Metric("counter", "deadline_alerts.callback_failed", ("dag_id",)),
    Metric("counter", "connection_test.success"),
    Metric("counter", "connection_test.failed"),
    Metric("counter", "connection_test.reaped", ("prior_state",)),
    Metric("gauge", "ti.scheduled", _QUEUED, "ti.scheduled.{queue}.{dag_id}.{task_id}"),
    Metric("gauge", "ti.queued", _QUEUED, "ti.queued.{queue}.{dag_id}.{task_id}"),
    Metric("gauge", "ti.running", _QUEUED, "ti.running.{queue}.{dag_id}.{task_id}"),
    Metric("gauge", "ti.deferred", _QUEUED, "ti.deferred.{queue}.{dag_id}.{task_id}"),
    Metric("gauge", "executor.open_slots", _EXECUTOR, "executor.open_slots.{executor_class_name}"),
    Metric("gauge", "executor.queued_tasks", _EXECUTOR, "executor.queued_tasks.{executor_class_name}"),
    Metric("gauge", "executor.running_tasks", _EXECUTOR, "executor.running_tasks.{executor_class_name}"),
    Metric("gauge", "pool.open_slots", _POOL, "pool.open_slots.{pool_name}"),
    Metric("gauge", "pool.queued_slots", _POOL, "pool.queued_slots.{pool_name}"),
    Metric("gauge", "pool.running_slots", _POOL, "pool.running_slots.{pool_name}"),
    Metric("gauge", "pool.deferred_slots", _POOL, "pool.deferred_slots.{pool_name}"),
    Metric("gauge", "pool.scheduled_slots", _POOL, "pool.scheduled_slots.{pool_name}"),
    Metric("gauge", "pool.starving_tasks", _POOL, "pool.starving_tasks.{pool_name}"),
    Metric("gauge", "scheduler.tasks.starving"),
    Metric("gauge", "scheduler.tasks.executable"),
    Metric("gauge", "scheduler.dagruns.running"),
    Metric("gauge", "scheduler.dag_bag.cache_size"),
    Metric("gauge", "dagbag_size"),
    Metric("gauge", "dag_processing.import_errors"),
    Metric("gauge", "dag_processing.total_parse_time"),
    Metric("gauge", "dag_processing.file_path_queue_size"),
    Metric("gauge", "dag_processing.last_run.seconds_ago", ("bundle_name", "file_name", "file_path"), "dag_processing.last_run.seconds_ago.{file_name}"),
    Metric("gauge", "triggers.running", ("hostname",), "triggers.running.{hostname}"),
    Metric("gauge", "triggerer.capacity_left", ("hostname",), "triggerer.capacity_left.{hostname}"),
    Metric("gauge", "asset.orphaned"),
    Metric("gauge", "connection_test.active"),
    Metric("gauge", "connection_test.pending"),
    Metric("timer", "task.duration", _TI, "dag.{dag_id}.{task_id}.duration"),
    Metric("timer", "task.queued_duration", _QUEUED, "dag.{dag_id}.{task_id}.queued_duration"),
    Metric("timer", "task.scheduled_duration", _QUEUED, "dag.{dag_id}.{task_id}.scheduled_duration"),
    Metric("timer", "dagrun.duration.success", _RUN, "dagrun.duration.success.{dag_id}"),
    Metric("timer", "dagrun.duration.failed", _RUN, "dagrun.duration.failed.{dag_id}"),
    Metric("timer", "dagrun.schedule_delay", ("dag_id",), "dagrun.schedule_delay.{dag_id}"),
    Metric("timer", "dagrun.first_task_scheduling_delay", _RUN, "dagrun.{dag_id}.first_task_scheduling_delay"),
    Metric("timer", "dagrun.first_task_start_delay", _RUN),
    Metric("timer", "dagrun.dependency-check", _RUN, "dagrun.dependency-check.{dag_id}"),
    Metric("timer", "dag_processing.last_duration", ("bundle_name", "file_name"), "dag_processing.last_duration.{bundle_name}.{file_name}"),
    Metric("timer", "scheduler.scheduler_loop_duration"),
    Metric("timer", "scheduler.critical_section_duration"),
    Metric("timer", "scheduler.critical_section_query_duration"),
    Metric("timer", "scheduler.executor_heartbeat_duration", ("executor",)),
    Metric("timer", "connection_test.dispatch_duration"),
    Metric("timer", "connection_test.hook_duration"),
    Metric("counter", "callbacks.delivered", is_ours=True),
    Metric("counter", "callbacks.failed", is_ours=True),
    Metric("gauge", "callbacks.open", is_ours=True),
    Metric("counter", "bulk_actions.items", ("kind", "target"), is_ours=True),
    Metric("gauge", "bulk_actions.open", is_ours=True),
    Metric("gauge", "bulk_actions.items_left", is_ours=True),
    Metric("counter", "duty.failed", ("duty",), is_ours=True),
    Metric("counter", "service.failed", ("what",), is_ours=True),
    Metric("counter", "scheduler.reconcile.corrections", is_ours=True),
    Metric("counter", "retention.deleted", ("table",), is_ours=True),
    Metric("counter", "metrics.series_dropped", is_ours=True),
)
# fmt: on

METRICS: Final = {metric.name: metric for metric in _ROWS}

# Counters that go down as well: Prometheus knows no such thing, OpenTelemetry has an instrument of its own for them.
UP_AND_DOWN: Final = frozenset({"dag_processing.processes"})
