"""Decides why a task instance waits: what its state waits for, and what holds back everything of its run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from runs.explain import gates, slots, undecided, waits
from runs.explain.answer import Explanation, label, of_run
from runs.explain.platform import Platform, platform
from runs.explain.reasons import Reason
from runs.explain.run import gates_of, of_queued
from runs.models import Hold, TaskInstance
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState
from runs.states import TaskInstanceState as S

_WITH_A_WORKER = frozenset({S.QUEUED, S.RUNNING, S.RESTARTING})
# Paused or held, the wait inside a try goes on; what holds its run back comes after it.
_OWN_WAIT_FIRST = frozenset({S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.DEFERRED, S.AWAITING_INPUT})


@dataclass(frozen=True, slots=True)
class Around:
    """What is read once for whatever a task instance waits for."""

    dag: Dag | None
    parts: Platform
    holds: list[Hold]
    now: datetime


def explain_instance(ti: TaskInstance) -> list[Explanation]:
    """Return why a task instance waits, the first reason first; a bounded number of queries, whatever the run holds."""
    now = utcnow()
    if ti.state in FINISHED:
        return [Explanation(Reason.FINISHED, f"Task {label(ti)} is {ti.state}: it waits for nothing.", (), ti.end_date)]
    around = Around(Dag.objects.filter(pk=ti.dag_id).first(), platform(now), gates.holds_of(ti.dag_run), now)
    if ti.state in _WITH_A_WORKER:
        return list(waits.of_worker(ti, around.parts))
    own = list(_own(ti, around))
    held_back = list(_of_run(ti, around))
    is_due = ti.retry_at is not None and ti.retry_at <= now and ti.trigger_id is None
    return [*own, *held_back] if ti.state in _OWN_WAIT_FIRST and not is_due else [*held_back, *own]


def _of_run(ti: TaskInstance, around: Around) -> Iterator[Explanation]:
    run = ti.dag_run
    if run.state in DAG_RUN_FINISHED:
        text = f"Run {run.run_id} is {run.state}: nothing of it begins any more; clear the task to run it."
        yield Explanation(Reason.FINISHED, text, (of_run(run),), run.end_date)
    elif run.state == DagRunState.QUEUED:
        yield from of_queued(run, around.dag, around.parts, around.holds, around.now)
    else:
        yield from gates_of(run, around.dag, around.parts, [hold for hold in around.holds if not hold.task_id], around.now)
    yield from gates.of_holds(run, [hold for hold in around.holds if hold.task_id], ti.task_id, ti.map_index)


def _own(ti: TaskInstance, around: Around) -> Iterator[Explanation]:
    if ti.state is None:
        yield from undecided.of_instance_without_state(ti, around.now)
    elif ti.state == S.SCHEDULED:
        yield from slots.of_scheduled(ti, around.parts, around.now)
    else:
        yield from waits.of_wait(ti, around.parts, around.now)
