"""Decides how tests drive a scheduler: its real duties, one round at a time, with a scripted executor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Service
from orchestrator.processes.services import process_end, process_register
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs import transitions
from runs.executors.base import ExecutorEvent, Executors, HandOver
from runs.models import DagRun, TaskInstance, XCom
from runs.reports import Report, Start
from runs.scheduler.holdings import Holdings
from runs.scheduler.service import scheduler_duties
from runs.services import run_trigger
from runs.states import TaskInstanceState as S
from tests.factories import make_dag


class ScriptedExecutor:
    """Keeps what it was handed until the test works on it."""

    name = "ScriptedExecutor"

    def __init__(self) -> None:
        self.scheduler_id: UUID | None = None
        self.owner_id: UUID | None = process_register("supervisor").pk
        self.handed: list[HandOver] = []
        self.revoked: list[UUID] = []
        self.news: list[ExecutorEvent] = []

    def start(self) -> None:
        """Nothing to start."""

    def submit(self, handovers: Sequence[HandOver]) -> None:
        """Keep them."""
        self.handed += handovers

    def events(self) -> list[ExecutorEvent]:
        """Return what the test put in."""
        news, self.news = self.news, []
        return news

    def descriptors(self) -> dict[int, Callable[[], Any]]:
        """None."""
        return {}

    def revoke(self, ti_id: UUID, reason: str) -> None:
        """Remember it."""
        self.revoked.append(ti_id)

    def drain(self, timeout_seconds: float) -> None:
        """Nothing runs."""

    def is_drained(self) -> bool:
        """Nothing runs."""
        return True

    def stop(self) -> None:
        """Nothing runs."""


class Rounds:
    """A scheduler that runs when the test says so."""

    def __init__(self) -> None:
        self.executor = ScriptedExecutor()
        self.holdings = Holdings(process_register("scheduler").pk)
        self.executors = Executors({self.executor.name: self.executor})
        # Retention works in a thread with a connection of its own, which sees nothing of a test's transaction.
        duties = [duty for duty in scheduler_duties(self.holdings, self.executors) if duty.name != "prune_history"]
        self.service = Service("test", duties, NoWakeup())

    def run(self, most: int = 50) -> None:
        """Run rounds until one finds nothing more to do, every duty due."""
        for _ in range(most):
            for entry in self.service._scheduled:
                entry.due_at = 0.0
                if entry.duty.name in ("create_runs", "start_runs"):
                    entry.duty._looked_at = 0.0  # type: ignore[attr-defined]
                for pause in ("_look_at", "_refresh_at", "_all_due_at"):
                    if hasattr(entry.duty, pause):
                        setattr(entry.duty, pause, 0.0)
                assert not entry.failures, f"duty {entry.duty.name} failed"
            self.holdings.may_start_runs = True
            if not self.service.run_due():
                break
        for entry in self.service._scheduled:
            assert not entry.failures, f"duty {entry.duty.name} failed"

    def work(self, outcome: Callable[[HandOver], str] | str = "success") -> list[str]:
        """Begin and end everything that was handed over; returns the task ids in order."""
        handed, self.executor.handed = self.executor.handed, []
        self.begin(handed)
        now = utcnow()
        reports = [
            Report(h.ti_id, h.dispatch_id, outcome if isinstance(outcome, str) else outcome(h), end_date=now) for h in handed
        ]
        with transaction.atomic():
            transitions.finish(reports, now=now)
        return [h.workload["ti"]["task_id"] for h in handed]

    def begin(self, handed: Iterable[HandOver]) -> None:
        """Report that the attempts run."""
        now = utcnow()
        starts = [Start(h.ti_id, h.dispatch_id, "host", "user", 1, now) for h in handed]
        with transaction.atomic():
            transitions.start(starts, now=now, lease_seconds=100)

    def let_due(self) -> None:
        """Let everything that waits for a time be due now, in memory."""
        self.holdings._due = [(utcnow() - timedelta(days=1), *rest) for _, *rest in self.holdings._due]  # type: ignore[misc]

    def age(self, run: DagRun, seconds: float) -> None:
        """Let the run have begun that much earlier, in memory as well."""
        began = utcnow() - timedelta(seconds=seconds)
        DagRun.objects.filter(pk=run.pk).update(start_date=began)
        self.holdings.stale.add(run.pk)

    def push_result(self, run: DagRun, task_id: str, length: int, map_index: int = -1) -> None:
        """Store a list as the result of a task."""
        value = list(range(length))
        XCom.objects.create(
            dag_run=run,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=task_id,
            map_index=map_index,
            key="return_value",
            value=json.dumps(value),
            mapped_length=length,
            timestamp=utcnow(),
        )

    def end(self) -> None:
        """End this scheduler and its supervisor, as after a death."""
        process_end(self.holdings.scheduler_id)
        if self.executor.owner_id is not None:
            process_end(self.executor.owner_id)

    def complete(self, outcome: Callable[[HandOver], str] | str = "success", most: int = 100) -> list[list[str]]:
        """Run and work until nothing is handed over any more; returns the task ids, one list per round."""
        waves = []
        for _ in range(most):
            self.run()
            if not self.executor.handed:
                return waves
            waves.append(self.work(outcome))
        raise AssertionError(f"not done after {most} rounds")


def trigger(spec: DagSpec, **dag_fields: Any) -> DagRun:
    """Make a DAG and one manual run of it."""
    dag = make_dag(spec.dag_id, spec, **dag_fields)
    with transaction.atomic():
        return run_trigger(dag=dag)


class NoWakeup:
    """Never wakes."""

    woken = False

    def wait(self, timeout: float, fds: Sequence[Any] = ()) -> list[Any]:
        """Return at once."""
        return []

    def close(self) -> None:
        """Nothing is open."""


def spec_of_edges(dag_id: str, edges: dict[str, list[str]], **dag_fields: Any) -> DagSpec:
    """A DAG from ``task -> upstream tasks``, in topological order as written."""
    tasks = {task_id: TaskSpec(task_id=task_id, upstream_task_ids=list(up)) for task_id, up in edges.items()}
    for task_id, up in edges.items():
        for name in up:
            tasks[name].downstream_task_ids.append(task_id)
    return DagSpec(dag_id=dag_id, tasks=list(tasks.values()), **dag_fields)


def states(run: DagRun) -> dict[str, str | None]:
    """Task id (with map index) to state."""
    rows = TaskInstance.objects.filter(dag_run=run).values_list("task_id", "map_index", "state")
    return {f"{t}[{i}]" if i >= 0 else t: s for t, i, s in rows}


def make_due(run: DagRun) -> None:
    """Let retries of the run be due now."""
    TaskInstance.objects.filter(dag_run=run, state=S.UP_FOR_RETRY).update(retry_at=utcnow() - timedelta(seconds=1))
