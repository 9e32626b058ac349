"""Decides which values of an attempt an author's own code sets, for each try, before the server sees the DAG.

Airflow calls a weight strategy and ``task_instance_mutation_hook`` in the scheduler. Here no user code runs there: the parse
process asks them once per try, with a stand-in for the task instance, and the server uses the answers.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sdk import policies
from orchestrator.sdk.definitions.priority import MAX_WEIGHT, MIN_WEIGHT
from orchestrator.sdk.definitions.rules import PriorityWeightStrategy
from orchestrator.sdk.definitions.shown_words import DagRunType
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec

MOST_TRIES = 50
EVERY_TRY = ("queue", "priority_weight")
FIRST_TRY = ("pool", "pool_slots", "executor", "executor_config", "max_tries")


class PlannedDagRun:
    """What a hook gets as ``dag_run``: the kind of the run; the rest is not known before there is one."""

    def __init__(self, dag_id: str, run_type: DagRunType) -> None:
        self.dag_id, self.run_type = dag_id, run_type
        self.conf: dict[str, Any] = {}
        self.run_id = self.logical_date = self.data_interval_start = self.data_interval_end = self.run_after = None
        self.start_date = self.end_date = self.queued_at = self.state = self.triggered_by = self.partition_key = None
        self.triggering_user_name = self.backfill_id = self.note = None


class PlannedTaskInstance:
    """What a strategy or hook gets: the attributes of a task instance that are known before there is a run."""

    def __init__(self, task: Any, spec: TaskSpec, dag_id: str, try_number: int) -> None:
        self.task, self.dag_id, self.task_id, self.map_index = task, dag_id, spec.task_id, -1
        self.run_id: str | None = None
        self.state: str | None = None
        self.operator, self.dag_run = spec.task_type, None
        self.try_number = try_number
        self.max_tries = spec.retries
        self.pool, self.pool_slots, self.queue = spec.pool, spec.pool_slots, spec.queue
        self.executor, self.executor_config = spec.executor, dict(spec.executor_config or {})
        self.priority_weight = spec.priority_weight_total

    @property
    def next_try_number(self) -> int:
        """Return the number of the try that is planned."""
        return self.try_number + 1


def plan_tries(dag: Any, spec: DagSpec) -> None:
    """Fill ``by_try`` and the first try's values of each task that a strategy or the mutation hook has a word in.

    The hook is asked for each kind of run, where it takes the run; ``by_run_type`` has the kinds that differ from scheduled
    runs. Raises what the author's code raises, and ``ValueError`` for a weight that is no number.
    """
    is_mutated = policies.has_policy("task_instance_mutation_hook")
    for task_spec in spec.tasks:
        task = dag.task_dict[task_spec.task_id]
        if is_mutated or isinstance(task.weight_rule, PriorityWeightStrategy):
            _plan(task, task_spec, spec.dag_id, is_mutated)


def _plan(task: Any, spec: TaskSpec, dag_id: str, is_mutated: bool) -> None:
    kinds = DagRunType if is_mutated else (DagRunType.SCHEDULED,)
    by_kind = {kind.value: _values(task, spec, PlannedDagRun(dag_id, kind), is_mutated) for kind in kinds}
    usual = by_kind[DagRunType.SCHEDULED.value]
    for name, value in usual.items():
        setattr(spec, name, value)
    spec.by_run_type = {kind: values for kind, values in by_kind.items() if values != usual}


def _values(task: Any, spec: TaskSpec, run: PlannedDagRun, is_mutated: bool) -> dict[str, Any]:
    """Return the fields of the task that the author's code decides, for one kind of run."""
    planned = [_planned(task, spec, run, number, is_mutated) for number in range(min(spec.retries, MOST_TRIES) + 1)]
    found: dict[str, Any] = {name: getattr(planned[0], name) for name in FIRST_TRY} if is_mutated else {}
    if is_mutated:
        found |= {"retries": found.pop("max_tries"), "executor_config": found["executor_config"] or None}
    tries = [{name: getattr(item, name) for name in EVERY_TRY} for item in planned]
    by_try = tries if any(item != tries[0] for item in tries) else []
    return {**found, "queue": planned[0].queue, "priority_weight_total": planned[0].priority_weight, "by_try": by_try}


def _planned(task: Any, spec: TaskSpec, run: PlannedDagRun, number: int, is_mutated: bool) -> PlannedTaskInstance:
    instance = PlannedTaskInstance(task, spec, run.dag_id, number)
    rule = task.weight_rule
    if isinstance(rule, PriorityWeightStrategy):
        instance.priority_weight = _weight(rule, instance)
    if is_mutated:
        policies.mutate_task_instance(instance, run)
        instance.priority_weight = _bounded(instance.priority_weight)
    return instance


def _weight(rule: PriorityWeightStrategy, instance: PlannedTaskInstance) -> int:
    found = rule.get_weight(instance)
    try:
        return _bounded(found)
    except (TypeError, ValueError):
        name = f"{type(rule).__module__}.{type(rule).__qualname__}"
        raise ValueError(
            f"the weight strategy {name} of task {instance.task_id!r} gave {found!r}; get_weight must return a whole number"
        ) from None


def _bounded(weight: Any) -> int:
    return min(max(int(weight), MIN_WEIGHT), MAX_WEIGHT)
