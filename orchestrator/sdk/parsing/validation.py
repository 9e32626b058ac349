"""Decides whether a serialized DAG can be scheduled at all; what fails here never reaches the scheduler."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from orchestrator.sdk.definitions.rules import TriggerRule, WeightRule
from orchestrator.sdk.definitions.timetables import Timetable, decode_timetable
from orchestrator.sdk.definitions.timetables.instants import zone_of
from orchestrator.sdk.parsing.cycles import find_cycle
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json

LONGEST_ID = 250
LONGEST_TAG = 100
LONGEST_POOL = 256
LARGEST_INT = 2**31 - 1  # what an integer column of PostgreSQL holds
_ID = re.compile(r"[\w.-]+")

TRIGGER_RULES = frozenset(map(str, TriggerRule))
WEIGHT_RULES = frozenset(map(str, WeightRule))


def problems(dag: DagSpec) -> list[str]:
    """Return one sentence per fault; empty for a DAG that the server can run."""
    found = [*_id_problems("dag_id", dag.dag_id), *_tag_problems(dag), *_limit_problems(dag), *_json_problems(dag)]
    found += [problem for task in dag.tasks for problem in _task_problems(task)]
    found += _graph_problems(dag)
    timetable, timetable_problems = _timetable(dag)
    return [*found, *timetable_problems, *_param_problems(dag, timetable)]


def _id_problems(what: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        yield f"the {what} {value!r} may only have letters, digits, dashes, dots and underscores"
    elif len(value) > LONGEST_ID:
        yield f"the {what} {value[:40]!r}... has {len(value)} characters; {LONGEST_ID} are allowed"


def _tag_problems(dag: DagSpec) -> Iterator[str]:
    for tag in dag.tags:
        if not isinstance(tag, str) or len(tag) > LONGEST_TAG:
            yield f"the tag {str(tag)[:40]!r} must have at most {LONGEST_TAG} characters"


def _limit_problems(dag: DagSpec) -> Iterator[str]:
    for name in ("max_active_tasks", "max_active_runs", "max_consecutive_failed_dag_runs"):
        value = getattr(dag, name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_INT:
            yield f"{name} must be a whole number from 0 to {LARGEST_INT}, not {value!r}"
    try:
        zone_of(dag.timezone)
    except ValueError as error:
        yield str(error)


def _json_problems(dag: DagSpec) -> Iterator[str]:
    try:
        json.dumps(to_json(dag))
    except (TypeError, ValueError, RecursionError) as error:
        yield f"the DAG cannot be written as JSON: {error}"


def _task_problems(task: TaskSpec) -> Iterator[str]:
    yield from _id_problems("task_id", task.task_id)
    where = f"task {task.task_id!r}"
    if task.trigger_rule not in TRIGGER_RULES:
        yield f"{where}: unknown trigger_rule {task.trigger_rule!r}; use one of {', '.join(sorted(TRIGGER_RULES))}"
    if isinstance(task.weight_rule, str) and task.weight_rule not in WEIGHT_RULES and "." not in task.weight_rule:
        yield f"{where}: unknown weight_rule {task.weight_rule!r}; use one of {', '.join(sorted(WEIGHT_RULES))}"
    if not isinstance(task.pool, str) or not 0 < len(task.pool) <= LONGEST_POOL:
        yield f"{where}: the pool {task.pool!r} must have 1 to {LONGEST_POOL} characters"
    for name, least in (("pool_slots", 1), ("retries", -LARGEST_INT), ("retry_delay", -LARGEST_INT)):
        value = getattr(task, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= LARGEST_INT:
            yield f"{where}: {name} must be a number from {least} to {LARGEST_INT}, not {value!r}"
    if not isinstance(task.priority_weight, int):
        yield f"{where}: priority_weight must be a whole number, not {task.priority_weight!r}"


def _graph_problems(dag: DagSpec) -> Iterator[str]:
    known: set[str] = set()
    for task in dag.tasks:
        if task.task_id in known:
            yield f"the task_id {task.task_id!r} is used twice; rename one of the two tasks"
        known.add(task.task_id)
    for task in dag.tasks:
        for name in sorted({*task.downstream_task_ids, *task.upstream_task_ids} - known):
            yield f"task {task.task_id!r} is linked to {name!r}, which is not in the DAG"
    cycle = find_cycle({task.task_id: [name for name in task.downstream_task_ids if name in known] for task in dag.tasks})
    if cycle:
        yield f"the tasks depend on each other in a circle: {' -> '.join(cycle)}; remove one of these links"


def _timetable(dag: DagSpec) -> tuple[Timetable | None, list[str]]:
    try:
        timetable = decode_timetable(dag.timetable)
        timetable.validate()
    except Exception as error:
        summary = dag.timetable_summary or dag.timetable.get("expression") or dag.timetable
        return None, [f"the schedule {summary!r} is not valid: {error}"]
    return timetable, []


def _param_problems(dag: DagSpec, timetable: Timetable | None) -> list[str]:
    """A scheduled run takes the defaults of the params, so each needs a valid one; a schema must be one in any case."""
    if not dag.params:
        return []
    from orchestrator.sdk.parsing.params import param_problems

    return list(param_problems(dag.params, needs_defaults=timetable is not None and timetable.can_be_scheduled))
