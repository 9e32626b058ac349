"""Decides why a task instance without a state is not scheduled: what is upstream of it, its past, its expansion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db.models import Q

from dags_app.selectors import SpecUnreadableError
from orchestrator.sdk.serialization.spec import DagSpec
from runs.clear_selection import spec_for_run
from runs.dependencies import WaitReason, Watch
from runs.explain.answer import MOST_BLOCKERS, Explanation, label, listed, of_dag, of_instance, said
from runs.explain.decisions import explain
from runs.explain.history import expected_end, usual_seconds
from runs.explain.reasons import Reason
from runs.models import TaskInstance
from runs.run_graph import RunGraph
from runs.run_nodes import Instance, InstanceState, Key, sources_of
from runs.scheduler.look_back import past_facts, previous_run
from runs.state_counts import REMOVED, UNFINISHED
from runs.states import FAILED_STATES, SUCCESS_STATES, TaskInstanceState
from runs.trigger_rules import Outcome

_ALL = tuple(Watch)


def of_instance_without_state(ti: TaskInstance, now: datetime) -> Iterator[Explanation]:
    """Yield why nothing is decided about the instance yet; it reads the states of its run by one query."""
    try:
        spec = spec_for_run(ti.dag_run)
    except SpecUnreadableError as error:
        text = f"The version of DAG {ti.dag_id} that the run uses cannot be read: {error}"
        yield Explanation(Reason.NO_VERSION, text, (of_dag(ti.dag_id, "unreadable"),))
        return
    graph = _graph(ti, spec)
    if ti.task_id not in graph.plan.tasks or (ti.task_id, ti.map_index) not in graph:
        yield Explanation(Reason.TASK_GONE, f"DAG {ti.dag_id} has no task {ti.task_id} any more: the instance will be removed.")
        return
    yield _judged(ti, spec, graph, now)


def _graph(ti: TaskInstance, spec: DagSpec) -> RunGraph:
    rows = TaskInstance.objects.filter(dag_run_id=ti.dag_run_id).values_list("task_id", "map_index", "state", "try_number")
    instances = (InstanceState(t, i, TaskInstanceState(s) if s else None, n) for t, i, s, n in rows)
    return RunGraph(spec, instances, past=past_facts(ti.dag_run, spec))


def _judged(ti: TaskInstance, spec: DagSpec, graph: RunGraph, now: datetime) -> Explanation:
    decision = explain(graph, (ti.task_id, ti.map_index))
    if decision.outcome is not Outcome.WAIT or decision.reason is None:
        if decision.outcome in (Outcome.RUN, Outcome.EXPAND):
            text = f"All that task {label(ti)} waits for is there: the scheduler decides it as soon as it looks at it."
        else:
            text = f"Task {label(ti)} will not run: {decision.detail or decision.outcome}."
        return Explanation(Reason.ABOUT_TO_DECIDE, text, (), ti.wait_since)
    if decision.reason is WaitReason.PAST:
        return _past(ti, spec, decision.detail)
    rule = spec.task_by_id()[ti.task_id].trigger_rule
    by_rule = f" (trigger rule {rule})" if rule != "all_success" else ""
    if decision.reason is WaitReason.MAPPED_INPUT:
        by_rule = " and it is expanded over their results"
    instance = graph.instance((ti.task_id, ti.map_index))
    rows = _rows(ti, list(_blocking(instance, REMOVED if decision.reason is WaitReason.UPSTREAM_REMOVED else UNFINISHED)))
    eta = expected_end(rows, usual_seconds(ti.dag_id, {row.task_id for row in rows}), now)
    states = listed([f"{label(row)} is {row.state or 'not decided'}" for row in rows])
    text = f"Task {label(ti)} waits{by_rule}: {decision.detail or 'upstream is not done'} ({states})."
    if decision.reason is WaitReason.MAPPED_INPUT:
        text = f"Task {label(ti)} waits{by_rule}: {decision.detail} ({states})."
    return Explanation(Reason(decision.reason), text, tuple(of_instance(row) for row in rows), ti.wait_since, eta)


def _blocking(instance: Instance, bits: int) -> Iterator[Key]:
    found: dict[Key, None] = {}
    for node, watch, aligned in instance.node.sources:
        for source in sources_of(instance, node, aligned):
            if source.bit_for(watch) & bits and not source.is_placeholder:
                found[source.key] = None
    yield from islice(found, MOST_BLOCKERS)


def _rows(ti: TaskInstance, keys: list[Key]) -> list[TaskInstance]:
    """Read the rows of the blockers; what runs is named first."""
    if not keys:
        return []
    wanted = Q()
    for task_id, map_index in keys:
        wanted |= Q(task_id=task_id, map_index=map_index)
    rows = TaskInstance.objects.filter(wanted, dag_run_id=ti.dag_run_id).defer("next_kwargs", "cause_detail")
    return sorted(rows, key=lambda row: (row.state != TaskInstanceState.RUNNING, row.task_id, row.map_index))


def _past(ti: TaskInstance, spec: DagSpec, detail: str) -> Explanation:
    """Name the instances of the run before; where one has failed nothing goes on by itself (C22-c)."""
    before = previous_run(ti.dag_run, spec)
    task = spec.task_by_id()[ti.task_id]
    names = [ti.task_id, *(task.downstream_task_ids if task.wait_for_downstream else ())]
    rows = TaskInstance.objects.filter(dag_run=before, task_id__in=names).exclude(state__in=list(SUCCESS_STATES))
    found = list(rows.order_by("task_id", "map_index")[:MOST_BLOCKERS])
    named = listed([f"{label(row)} of run {row.run_id} is {row.state or 'not decided'}" for row in found]) or detail
    blockers = tuple(of_instance(row) for row in found)
    what = "wait_for_downstream" if task.wait_for_downstream else "depends_on_past"
    if any(row.state in FAILED_STATES for row in found):
        text = f"Task {label(ti)} never goes on by itself ({what}): {named}. Clear or mark that one."
        return Explanation(Reason.PAST_DEADLOCK, text, blockers, ti.wait_since)
    date = f" before {said(ti.dag_run.logical_date)}" if ti.dag_run.logical_date else ""
    return Explanation(Reason.PAST, f"Task {label(ti)} waits for the run{date} ({what}): {named}.", blockers, ti.wait_since)
