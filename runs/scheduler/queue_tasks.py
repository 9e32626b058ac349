"""Decides which scheduled task instances get the free slots, and hands them to executors after the commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Sum

from dags_app.models import Dag
from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs import transitions
from runs.executors.base import Executor, Executors, HandOver
from runs.models import Pool, TaskInstance
from runs.scheduler.holdings import Holdings
from runs.scheduler.ready import Candidate, Capacity
from runs.scheduler.workloads import workload_of
from runs.states import TaskInstanceState as S

PAUSES_SECONDS = 0.2  # a pause takes effect this soon; busy rounds come by the hundred a second
UNLIMITED = float("inf")


class QueueTasks:
    """Spends the free slots. Caps are counted and spent in one transaction that holds the pool rows (invariant I2)."""

    name = "queue_tasks"

    def __init__(self, holdings: Holdings, executors: Executors) -> None:
        self.holdings = holdings
        self.executors = executors
        self._pauses_due_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Queue and hand over what the free slots allow."""
        if not len(self.holdings.ready):
            return Result()
        now = utcnow()
        self._refresh_pauses()
        with transaction.atomic():
            capacity = _capacity(list(Pool.objects.select_for_update().order_by("pk")), limit)
            chosen = self.holdings.ready.choose(capacity, self.holdings.limits_of)
            owner_id = self.executors.default.owner_id
            rows = transitions.queue([item.ti_id for item in chosen], queued_by=owner_id, now=now) if chosen else []
            fault_point("queue.before_commit")
        fault_point("queue.after_commit")
        self._take_over(chosen, rows)
        hand_over(self.executors, rows)
        fault_point("queue.after_hand_over")
        return Result(done=len(rows), more=len(chosen) >= limit)

    def _take_over(self, chosen: Sequence[Candidate], rows: Sequence[TaskInstance]) -> None:
        won = {row.id for row in rows}
        for item in chosen:
            owned = self.holdings.runs[item.run_pk]
            if item.ti_id in won:
                owned.graph.apply([((item.task_id, item.map_index), S.QUEUED)])
            else:
                self.holdings.stale.add(item.run_pk)

    def _refresh_pauses(self) -> None:
        if monotonic() < self._pauses_due_at:
            return
        self._pauses_due_at = monotonic() + PAUSES_SECONDS
        dag_ids = {owned.dag_id for owned in self.holdings.runs.values()}
        if dag_ids:
            paused = Dag.objects.filter(is_paused=True, dag_id__in=list(dag_ids)[:1000])
            self.holdings.paused_dags = set(paused.values_list("dag_id", flat=True))


def _capacity(pools: Sequence[Pool], limit: int) -> Capacity:
    """Count what is free from the rows of the attempts that hold a slot; as many rows as run now, never more."""
    free = {pool.pool: UNLIMITED if pool.slots < 0 else float(pool.slots) for pool in pools}
    with_deferred = {pool.pool for pool in pools if pool.include_deferred}
    capacity = Capacity(slots=0, pool_free=free)
    states = [S.QUEUED, S.RUNNING, *([S.DEFERRED] if with_deferred else [])]
    groups = (
        TaskInstance.objects.filter(state__in=states)
        .values_list("pool", "dag_id", "dag_run_id", "task_id", "state")
        .annotate(slots=Sum("pool_slots"), number=Count("id"))
    )
    used = 0
    for pool, dag_id, run_pk, task_id, state, slots, number in groups:
        if state == S.DEFERRED and pool not in with_deferred:
            continue
        free[pool] = free.get(pool, 0) - slots
        if state == S.DEFERRED:
            continue
        used += number
        capacity.run_active[run_pk] += number
        capacity.task_active[dag_id, task_id] += number
        capacity.task_in_run_active[run_pk, task_id] += number
    capacity.slots = min(limit, int(conf.get("core", "parallelism")) - used)
    return capacity


def hand_over(executors: Executors, rows: Sequence[TaskInstance]) -> None:
    """Give queued attempts to their executors. A death before it is repaired by the reaper (C02-b)."""
    by_executor: dict[str, list[HandOver]] = defaultdict(list)
    targets: dict[str, Executor] = {}
    for row in rows:
        executor = executors.named(row.executor) or executors.default
        targets[executor.name] = executor
        by_executor[executor.name].append(HandOver(row.id, row.dispatch_id, row.queue, workload_of(row)))  # type: ignore[arg-type]
    for name, handovers in by_executor.items():
        targets[name].submit(handovers)
