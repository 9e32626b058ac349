"""Decides which scheduled task instances get the free slots, and hands them to executors after the commit."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, Sum

from dags_app.models import Dag
from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from orchestrator.kernel.telemetry import stopwatch
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_alive
from runs import transitions
from runs.causes import Cause
from runs.executors.base import Executor, Executors, HandOver
from runs.models import Pool, TaskInstance
from runs.reports import Report
from runs.scheduler.holdings import Holdings
from runs.scheduler.ready import Candidate, Capacity, ReadyQueue
from runs.scheduler.workloads import workload_of
from runs.states import TaskInstanceState as S

log = logging.getLogger(__name__)

PAUSES_SECONDS = 0.2  # a pause takes effect this soon; busy rounds come by the hundred a second
UNLIMITED = float("inf")


class QueueTasks:
    """Spends the free slots. Caps are counted and spent in one transaction that holds the pool rows (invariant I2)."""

    name = "queue_tasks"

    def __init__(self, holdings: Holdings, executors: Executors) -> None:
        self.holdings = holdings
        self.executors = executors
        self._refresh_at = 0.0
        self._foreign: frozenset[UUID] = frozenset()  # supervisors that spend another scheduler's [core] parallelism

    def run_once(self, limit: int) -> Result:
        """Queue and hand over what the free slots allow."""
        if not len(self.holdings.ready) or self.executors.default.owner_id is None:
            return Result()  # without a supervisor nothing would be begun
        self._refresh()
        chosen: list[Candidate] = []
        try:
            rows = self._spend_slots(chosen, limit)
        except Exception:
            for item in chosen:  # nothing was committed: they wait as before
                self.holdings.ready.add(item)
            raise
        fault_point("queue.after_commit")
        self._take_over(chosen, rows)
        hand_over(self.executors, rows)
        fault_point("queue.after_hand_over")
        return Result(done=len(rows), more=len(chosen) >= limit)

    def _spend_slots(self, chosen: list[Candidate], limit: int) -> list[TaskInstance]:
        """Fill ``chosen`` with what fits and queue it; returns the rows that moved."""
        now = utcnow()
        with stopwatch("scheduler.critical_section_duration"), transaction.atomic():
            pools = list(Pool.objects.select_for_update().order_by("pk"))
            with stopwatch("scheduler.critical_section_query_duration"):
                capacity = _capacity(pools, limit, self._foreign)
            _age(self.holdings.ready, pools)
            chosen += self.holdings.ready.choose(capacity, self.holdings.limits_of, now=now.timestamp())
            rows = self._queue(chosen, now)
            fault_point("queue.before_commit")
        return rows

    def _queue(self, chosen: Sequence[Candidate], now: datetime) -> list[TaskInstance]:
        """Move the chosen ones, each under the process that its executor speaks for."""
        by_owner: dict[UUID | None, list[UUID]] = defaultdict(list)
        for item in chosen:
            executor = self.executors.named(item.executor) or self.executors.default
            by_owner[executor.owner_id].append(item.ti_id)
        return [row for owner_id, ids in by_owner.items() for row in transitions.queue(ids, queued_by=owner_id, now=now)]

    def _take_over(self, chosen: Sequence[Candidate], rows: Sequence[TaskInstance]) -> None:
        won = {row.id for row in rows}
        for item in chosen:
            owned = self.holdings.runs[item.run_pk]
            if item.ti_id in won and (item.task_id, item.map_index) in owned.graph:
                owned.graph.apply([((item.task_id, item.map_index), S.QUEUED)])
            else:
                self.holdings.stale.add(item.run_pk)

    def _refresh(self) -> None:
        """Ask which DAGs are paused or gone, and which supervisors are other schedulers'."""
        if monotonic() < self._refresh_at:
            return
        self._refresh_at = monotonic() + PAUSES_SECONDS
        dag_ids = sorted({owned.dag_id for owned in self.holdings.runs.values()})
        held = (dag_ids[start : start + 1000] for start in range(0, len(dag_ids), 1000))
        stopped = (Dag.objects.filter(Q(is_paused=True) | Q(is_stale=True), dag_id__in=some) for some in held)
        self.holdings.paused_dags = {pk for dags in stopped for pk in dags.values_list("dag_id", flat=True)}
        supervisors = Process.objects.filter(kind="supervisor", ended_at=None).values_list("pk", "detail")
        own = str(self.holdings.scheduler_id)
        others = {pk: detail["scheduler"] for pk, detail in supervisors if detail.get("scheduler", own) != own}
        living = {str(pk) for pk in processes_alive("scheduler", utcnow()).values_list("pk", flat=True)}
        self._foreign = frozenset(pk for pk, scheduler in others.items() if scheduler in living)


def _age(ready: ReadyQueue, pools: Sequence[Pool]) -> None:
    """Let waiting raise the priority in the pools that ask for it; the others cost nothing (C08-d)."""
    ready.set_ageing({pool.pool: pool.ageing_seconds for pool in pools if pool.ageing_seconds})
    new = ready.newcomers
    since: dict[UUID, float] = {}
    for start in range(0, len(new), 1000):
        rows = TaskInstance.objects.filter(pk__in=new[start : start + 1000], scheduled_dttm__isnull=False)
        since |= {pk: at.timestamp() for pk, at in rows.values_list("pk", "scheduled_dttm") if at}
    if new:
        ready.admit(since)


def _capacity(pools: Sequence[Pool], limit: int, foreign: Collection[UUID]) -> Capacity:
    """Count what is free from the rows of the attempts that hold a slot; as many rows as run now, never more.

    Pools and the authors' caps hold for all schedulers together, ``[core] parallelism`` for each alone, as in Airflow.
    """
    free = {pool.pool: UNLIMITED if pool.slots < 0 else float(pool.slots) for pool in pools}
    with_deferred = {pool.pool for pool in pools if pool.include_deferred}
    capacity = Capacity(slots=0, pool_free=free)
    states = [S.QUEUED, S.RUNNING, *([S.DEFERRED] if with_deferred else [])]
    groups = (
        TaskInstance.objects.filter(state__in=states)
        .values_list("pool", "dag_id", "dag_run_id", "task_id", "state", "queued_by")
        .annotate(slots=Sum("pool_slots"), number=Count("id"))
    )
    used = 0
    for pool, dag_id, run_pk, task_id, state, queued_by, slots, number in groups:
        if state == S.DEFERRED and pool not in with_deferred:
            continue
        free[pool] = free.get(pool, 0) - slots
        if state == S.DEFERRED:
            continue
        used += number if queued_by not in foreign else 0
        capacity.run_active[run_pk] += number
        capacity.task_active[dag_id, task_id] += number
        capacity.task_in_run_active[run_pk, task_id] += number
    capacity.slots = min(limit, int(conf.get("core", "parallelism")) - used)
    return capacity


def hand_over(executors: Executors, rows: Sequence[TaskInstance]) -> None:
    """Give queued attempts to their executors. A death before it is repaired by the reaper (C02-b)."""
    by_executor: dict[str, list[HandOver]] = defaultdict(list)
    targets: dict[str, Executor] = {}
    never: list[Report] = []
    for row in rows:
        try:
            executor = _executor_for(row, executors)
            handover = HandOver(row.id, row.dispatch_id, row.queue, workload_of(row))  # type: ignore[arg-type]
        except Exception as error:
            log.exception("%s cannot be handed over", row)
            detail = f"{type(error).__name__}: {error}"
            cause = Cause.LAUNCH_IMPOSSIBLE
            never.append(Report(row.id, row.dispatch_id, S.FAILED, utcnow(), cause=cause, cause_detail=detail))
            continue
        targets[executor.name] = executor
        by_executor[executor.name].append(handover)
    for name, handovers in by_executor.items():
        targets[name].submit(handovers)
    if never:
        with transaction.atomic():
            transitions.fail_unstarted(never, now=utcnow())


def _executor_for(row: TaskInstance, executors: Executors) -> Executor:
    executor = executors.named(row.executor)
    if executor is None:
        known = ", ".join(executors.by_name)
        raise LookupError(f"the task asks for executor {row.executor!r}, and [core] executor has only: {known}")
    return executor
