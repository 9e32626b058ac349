"""Decides whether weights and other values of each try are planned before the server sees the DAG."""

from __future__ import annotations

import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.rules import PriorityWeightStrategy
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.plugins.tries import plan_tries
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.serialization.spec import from_json, to_json


class Decreasing(PriorityWeightStrategy):
    def get_weight(self, ti):
        return max(3 - ti.try_number + 1, 1)


class Silly(PriorityWeightStrategy):
    def get_weight(self, ti):
        return "heavy"


def planned(**arguments):
    with DAG("d", schedule=None) as dag:
        EmptyOperator(task_id="t", **arguments)
    spec = encode_dag(dag)
    plan_tries(dag, spec)
    return from_json(to_json(spec)).tasks[0]


def test_a_strategy_gives_each_try_its_weight(clean):
    task = planned(weight_rule=Decreasing(), retries=2)
    assert task.priority_weight_total == 4
    assert [values["priority_weight"] for values in task.by_try] == [4, 3, 2]


def test_a_strategy_can_be_named_by_its_path(clean):
    assert planned(weight_rule=f"{__name__}.Decreasing", retries=0).priority_weight_total == 4


def test_a_task_with_a_plain_rule_carries_no_plan(clean):
    assert planned(retries=3).by_try == []


def test_a_weight_that_is_no_number_is_an_error_with_the_strategy_and_task(clean):
    with pytest.raises(ValueError, match=r"Silly of task 't' gave 'heavy'"):
        planned(weight_rule=Silly())


def test_the_mutation_hook_chooses_the_queue_of_retries_and_the_pool(local_settings):
    local_settings(
        "def task_instance_mutation_hook(task_instance, dag_run=None):\n"
        "    task_instance.pool = 'small'\n"
        "    if task_instance.try_number >= 1:\n        task_instance.queue = 'retries'\n"
    )
    task = planned(retries=1)
    assert task.pool == "small" and task.queue == "default"
    assert [values["queue"] for values in task.by_try] == ["default", "retries"]


def test_the_mutation_hook_sees_the_kind_of_the_run(local_settings):
    local_settings(
        "from airflow.utils.types import DagRunType\n"
        "def task_instance_mutation_hook(task_instance, dag_run):\n"
        "    if dag_run.run_type == DagRunType.MANUAL and not dag_run.conf:\n"
        "        task_instance.pool, task_instance.max_tries = 'people', 0\n"
        "    if dag_run.run_type == 'backfill' and task_instance.try_number:\n        task_instance.queue = 'slow'\n"
    )
    task = planned(retries=1)
    assert (task.pool, task.retries, task.queue, task.by_try) == ("default_pool", 1, "default", [])
    assert set(task.by_run_type) == {"manual", "backfill"}
    manual, backfill = task.in_run("manual"), task.in_run("backfill")
    assert (manual.pool, manual.retries, manual.by_run_type) == ("people", 0, task.by_run_type)
    assert [values["queue"] for values in backfill.by_try] == ["default", "slow"]
    assert task.in_run("scheduled") is task


@pytest.mark.parametrize("retries", [0, -1, -2])
def test_a_task_whose_retries_are_below_none_has_one_try(retries, local_settings):
    local_settings("def task_instance_mutation_hook(task_instance, dag_run=None):\n    task_instance.queue = 'seen'\n")
    assert planned(retries=retries).queue == "seen"
    assert planned(retries=retries, weight_rule=Decreasing()).priority_weight_total == 4


# What Airflow 3.3.2 has on its task instances and runs when it calls the hook: all that `dir` of its classes names without an
# underscore, but for methods and what belongs to SQLAlchemy or is read by its scheduler alone.
OF_INSTANCES = [
    "context_carrier",
    "custom_operator_name",
    "dag_id",
    "dag_model",
    "dag_run",
    "dag_version",
    "dag_version_id",
    "duration",
    "end_date",
    "executor",
    "executor_config",
    "external_executor_id",
    "hitl_detail",
    "hostname",
    "id",
    "is_premature",
    "key",
    "last_heartbeat_at",
    "log",
    "log_url",
    "logical_date",
    "map_index",
    "mark_success_url",
    "max_tries",
    "next_kwargs",
    "next_method",
    "note",
    "operator",
    "operator_name",
    "pid",
    "pool",
    "pool_slots",
    "priority_weight",
    "queue",
    "queued_by_job_id",
    "queued_dttm",
    "rendered_map_index",
    "rendered_task_instance_fields",
    "retry_delay_override",
    "retry_reason",
    "run_after",
    "run_as_user",
    "run_id",
    "scheduled_dttm",
    "span_status",
    "start_date",
    "start_trigger_args",
    "state",
    "stats_tags",
    "task",
    "task_display_name",
    "task_id",
    "task_instance_note",
    "test_mode",
    "trigger",
    "trigger_id",
    "trigger_timeout",
    "triggerer_job",
    "try_number",
    "unixname",
    "updated_at",
]
OF_RUNS = [
    "backfill",
    "backfill_id",
    "backfill_max_active_runs",
    "bundle_version",
    "clear_number",
    "conf",
    "context_carrier",
    "created_at",
    "created_dag_version",
    "created_dag_version_id",
    "creating_job_id",
    "dag",
    "dag_id",
    "dag_model",
    "dag_run_note",
    "dag_versions",
    "data_interval_end",
    "data_interval_start",
    "deadlines",
    "duration",
    "end_date",
    "id",
    "last_scheduling_decision",
    "log",
    "log_template_id",
    "logical_date",
    "max_active_runs",
    "note",
    "partition_date",
    "partition_key",
    "queued_at",
    "run_after",
    "run_id",
    "run_type",
    "scheduled_by_job_id",
    "span_status",
    "start_date",
    "state",
    "stats_tags",
    "task_instances",
    "task_instances_histories",
    "triggered_by",
    "triggering_user_name",
    "updated_at",
    "version_number",
]


def test_the_mutation_hook_reads_every_attribute_that_airflow_has_there(local_settings):
    local_settings(
        "def task_instance_mutation_hook(task_instance, dag_run):\n"
        f"    for name in {OF_INSTANCES!r}:\n        getattr(task_instance, name)\n"
        f"    for name in {OF_RUNS!r}:\n        getattr(dag_run, name)\n"
        "    assert task_instance.key.task_id == task_instance.task_display_name == 't'\n"
        "    assert (task_instance.get_dag_id(), task_instance.dag_run, dag_run.conf) == ('d', None, {})\n"
        "    assert dag_run.get_dag().has_task('t') and dag_run.max_active_runs == 16\n"
        "    task_instance.log.info('seen')\n"
        "    task_instance.queue = 'seen'\n"
    )
    assert planned().queue == "seen"


def test_what_the_mutation_hook_sets_in_vain_is_told_once(local_settings, caplog):
    local_settings(
        "def task_instance_mutation_hook(task_instance, dag_run):\n"
        "    task_instance.hostname, task_instance.lane = 'h', 'left'\n"
        "    if task_instance.try_number:\n        task_instance.pool = 'later'\n"
    )
    task = planned(retries=1)
    assert task.pool == "default_pool"
    told = {record.getMessage() for record in caplog.records}
    assert told == {
        "task_instance_mutation_hook sets 'hostname' of task 't', which is not taken from it at all.",
        "task_instance_mutation_hook sets 'lane' of task 't', which is not taken from it at all.",
        "task_instance_mutation_hook sets 'pool' of task 't', which is not taken from it for later tries.",
    }
    assert len(caplog.records) == len(told)
