"""Decides what to say of a task instance that is not queued yet: each condition that is not met, under Airflow's name for it."""

from __future__ import annotations

from collections.abc import Iterator

from dags_app.selectors import SpecUnreadableError
from runs.clear_selection import spec_for_run
from runs.dependencies import Decision, WaitReason
from runs.explain.decisions import explain
from runs.models import Hold, TaskInstance
from runs.run_graph import RunGraph
from runs.run_nodes import InstanceState
from runs.states import DagRunState, TaskInstanceState
from runs.trigger_rules import Outcome

_NAMES = {
    WaitReason.PAST: "Previous Dagrun State",
    WaitReason.MAPPED_INPUT: "Mapped dependencies have succeeded",
}
TRIGGER_RULE = "Trigger Rule"


def blockers_of(ti: TaskInstance) -> list[tuple[str, str]]:
    """Return (condition, why it is not met) by name; nothing for one that is queued or further."""
    if ti.state not in (None, TaskInstanceState.SCHEDULED):
        return []
    return sorted([*_of_run(ti), *_of_holds(ti), *_of_graph(ti), *_of_slots(ti)])


def _of_run(ti: TaskInstance) -> Iterator[tuple[str, str]]:
    run = ti.dag_run
    if run.state != DagRunState.RUNNING:
        yield "Dagrun Running", f"run {run.run_id} is {run.state}, not running"
    if getattr(run.dag, "is_paused", False):
        yield "Dag Not Paused", f"DAG {ti.dag_id} is paused"


def _of_holds(ti: TaskInstance) -> Iterator[tuple[str, str]]:
    for hold in Hold.objects.filter(dag_run_id=ti.dag_run_id, task_id__in=("", ti.task_id), map_index__in=(-1, ti.map_index)):
        until = f" until {hold.until.isoformat()}" if hold.until else ""
        yield "Held", f"held by {hold.held_by}{until}: {hold.reason or 'no reason given'}"


def _of_graph(ti: TaskInstance) -> Iterator[tuple[str, str]]:
    if ti.state is not None or ti._state.adding:  # the instances of a run are made when it begins
        return
    decision = _decision(ti)
    if decision is None or decision.outcome in (Outcome.RUN, Outcome.EXPAND):
        return
    name = _NAMES.get(decision.reason, TRIGGER_RULE) if decision.reason else TRIGGER_RULE
    yield name, decision.detail or f"it is to be set to {decision.outcome}"


def _decision(ti: TaskInstance) -> Decision | None:
    from runs.scheduler.look_back import past_facts

    try:
        spec = spec_for_run(ti.dag_run)
    except SpecUnreadableError:
        return None
    rows = TaskInstance.objects.filter(dag_run_id=ti.dag_run_id).values_list("task_id", "map_index", "state", "try_number")
    instances = (InstanceState(t, i, TaskInstanceState(s) if s else None, n) for t, i, s, n in rows)
    graph = RunGraph(spec, instances, past=past_facts(ti.dag_run, spec))
    key = (ti.task_id, ti.map_index)
    return explain(graph, key) if ti.task_id in graph.plan.tasks else None


def _of_slots(ti: TaskInstance) -> Iterator[tuple[str, str]]:
    if ti.wait_reason == "previous_attempt":
        until = f", at most until {ti.retry_at.isoformat()}" if ti.retry_at else ""
        yield "Task Instance Not Running", f"the process of the attempt before is still to end{until}"
    elif ti.state == TaskInstanceState.SCHEDULED and ti.wait_reason not in (None, "held"):
        yield "Pool Slots Available", f"waits for slots of pool {ti.pool}, of its DAG, or of its task"
