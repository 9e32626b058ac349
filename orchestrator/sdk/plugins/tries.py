"""Decides which values of an attempt an author's own code sets, for each try, before the server sees the DAG.

Airflow calls a weight strategy and ``task_instance_mutation_hook`` in the scheduler. Here no user code runs there: the parse
process asks them once per try, with a stand-in for the task instance, and the server uses the answers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from orchestrator.sdk import policies
from orchestrator.sdk.definitions.priority import MAX_WEIGHT, MIN_WEIGHT
from orchestrator.sdk.definitions.rules import PriorityWeightStrategy
from orchestrator.sdk.definitions.shown_words import DagRunType
from orchestrator.sdk.plugins.planned import EVERY_TRY, FIRST_TRY, PlannedDagRun, PlannedTaskInstance
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec

MOST_TRIES = 50

log = logging.getLogger(__name__)


def plan_tries(dag: Any, spec: DagSpec) -> None:
    """Fill ``by_try`` and the first try's values of each task that a strategy or the mutation hook has a word in.

    The hook is asked for each kind of run, where it takes the run; ``by_run_type`` has the kinds that differ from scheduled
    runs. Raises what the author's code raises, and ``ValueError`` for a weight that is no number.
    """
    is_mutated = policies.has_policy("task_instance_mutation_hook")
    for task_spec in spec.tasks:
        task = dag.task_dict[task_spec.task_id]
        if is_mutated or isinstance(task.weight_rule, PriorityWeightStrategy):
            _plan(task, task_spec, dag, is_mutated)


def _plan(task: Any, spec: TaskSpec, dag: Any, is_mutated: bool) -> None:
    kinds = DagRunType if is_mutated else (DagRunType.SCHEDULED,)
    planned = {kind.value: _tries(task, spec, PlannedDagRun(dag, kind), is_mutated) for kind in kinds}
    by_kind = {kind: _values(tries, is_mutated) for kind, tries in planned.items()}
    _tell_vain(spec, planned.values())
    usual = by_kind[DagRunType.SCHEDULED.value]
    for name, value in usual.items():
        setattr(spec, name, value)
    spec.by_run_type = {kind: values for kind, values in by_kind.items() if values != usual}


def _tries(task: Any, spec: TaskSpec, run: PlannedDagRun, is_mutated: bool) -> list[PlannedTaskInstance]:
    most = min(max(spec.retries, 0), MOST_TRIES)
    return [_planned(task, spec, run, number, is_mutated) for number in range(most + 1)]


def _values(planned: list[PlannedTaskInstance], is_mutated: bool) -> dict[str, Any]:
    """Return the fields of the task that the author's code decides, for one kind of run."""
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
        with instance.watched():
            policies.mutate_task_instance(instance, run)
        instance.priority_weight = _bounded(instance.priority_weight)
    return instance


def _tell_vain(spec: TaskSpec, kinds: Iterable[list[PlannedTaskInstance]]) -> None:
    """Say once what the hook set in vain, rather than leave its author to wonder."""
    vain: dict[tuple[str, str], None] = {}
    for tries in kinds:
        vain |= {(name, "at all"): None for item in tries for name in item.set_in_vain}
        later = [name for item in tries for name in FIRST_TRY if getattr(item, name) != getattr(tries[0], name)]
        vain |= {(name, "for later tries"): None for name in later}
    for name, when in vain:
        log.warning("task_instance_mutation_hook sets %r of task %r, which is not taken from it %s.", name, spec.task_id, when)


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
