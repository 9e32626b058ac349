"""Decides what is shown of the tasks right before and after a task instance: their worst state and how many of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from orchestrator.sdk.serialization.spec import TaskSpec
from runs.models import AttemptFields, TaskInstance
from runs.pages.ti_address import path_of_task
from runs.pages.worst import state_of, worst
from runs.task_specs import tasks_of

MOST = 12


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One task. ``key`` names its only instance for live changes; ``total`` counts the indexes of a mapped one."""

    task_id: str
    url: str
    state: str | None
    number: int
    total: int
    key: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The tasks on both sides, and how many more there are."""

    upstream: list[Neighbour]
    downstream: list[Neighbour]
    more_upstream: int
    more_downstream: int
    trigger_rule: str = ""


def neighbours_of(current: AttemptFields) -> Neighbours:
    """Return the neighbours as the version of the attempt has them; none where the version or the task is gone."""
    spec = tasks_of([current]).get((current.dag_version_id, current.task_id)) if isinstance(current, TaskInstance) else None
    if spec is None:
        return Neighbours([], [], 0, 0)
    sides = _sides(spec)
    wanted = {task_id for side in sides for task_id in side}
    counted = TaskInstance.objects.filter(dag_run_id=current.dag_run_id, task_id__in=wanted)
    states: dict[str, dict[str | None, int]] = {}
    for task_id, state, number in counted.values_list("task_id", "state").annotate(number=Count("id")):
        states.setdefault(task_id, {})[state] = number
    upstream, downstream = ([_one(current, task_id, states.get(task_id, {})) for task_id in side] for side in sides)
    more = (len(spec.upstream_task_ids) - len(upstream), len(spec.downstream_task_ids) - len(downstream))
    return Neighbours(upstream, downstream, *more, spec.trigger_rule)


def _sides(spec: TaskSpec) -> tuple[list[str], list[str]]:
    return sorted(spec.upstream_task_ids)[:MOST], sorted(spec.downstream_task_ids)[:MOST]


def _one(current: AttemptFields, task_id: str, states: dict[str | None, int]) -> Neighbour:
    state, total = state_of(worst(states)), sum(states.values())
    url = path_of_task("log_detail", current.dag_id, current.run_id, task_id) if total else ""
    key = f"{current.dag_run_id}:{task_id}:-1" if total == 1 else ""
    return Neighbour(task_id, url, state, states.get(state, 0), total, key)
