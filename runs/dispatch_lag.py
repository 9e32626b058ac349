"""Decides whether work that could begin does not: a scheduler that only heartbeats is not healthy (C02-e)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Min, Q, Sum

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.config import conf
from runs.models import DagRun, Hold, Pool, StateChange, TaskInstance
from runs.states import DagRunState
from runs.states import TaskInstanceState as S

LONGEST_SECONDS = 30.0
_RECENT_CHANGES = 200


class Stuck(NamedTuple):
    """A task instance that has free slots and is not handed over, and since when it is ready."""

    dag_id: str
    run_id: str
    task_id: str
    since: datetime


def stuck_dispatch(now: datetime) -> Stuck | None:
    """Return the longest ready task that has had everything it needs for over 30 s while nothing was handed over.

    None where all is well. One query where nothing waits for so long; a bounded number otherwise.
    """
    late = now - timedelta(seconds=LONGEST_SECONDS)
    groups = list(_waiting(late))
    if not groups or _moved_since(late):
        return None
    free = _Free()
    limits = _limits({row["dag_id"] for row in groups})
    found = [row for row in groups if free.for_group(row, limits)]
    first = min(found, key=lambda row: row["since"], default=None)
    return Stuck(first["dag_id"], first["run_id"], first["task_id"], first["since"]) if first else None


def _waiting(late: datetime) -> Iterator[dict[str, Any]]:
    due = Q(retry_at=None) | Q(retry_at__lte=late)
    rows = TaskInstance.objects.filter(due, state=S.SCHEDULED, scheduled_dttm__lt=late, wait_since__lt=late)
    rows = rows.filter(dag_run__state=DagRunState.RUNNING, dag_run__dag__is_paused=False, dag_run__dag__is_stale=False)
    rows = rows.exclude(dag_run__in=Hold.objects.values("dag_run")).order_by()
    names = ("dag_id", "run_id", "dag_run_id", "task_id", "pool", "pool_slots")
    yield from rows.values(*names).annotate(since=Min("scheduled_dttm")).order_by("since")[:1000]


def _moved_since(late: datetime) -> bool:
    """Return whether an attempt was handed over or gave its slots back: what waits gets its turn."""
    recent = StateChange._base_manager.order_by("-pk").values_list("at", "from_state", "to_state")[:_RECENT_CHANGES]
    occupying = (S.QUEUED, S.RUNNING, S.DEFERRED)
    return any(at >= late and (to == S.QUEUED or before in occupying) for at, before, to in recent)


class _Free:
    """What is free now, as the scheduler counts it: whoever asks, what hidden DAGs occupy is not free."""

    def __init__(self) -> None:
        pools = list(Pool.objects.all())
        self.pools: dict[str, float] = {pool.pool: pool.slots if pool.slots >= 0 else float("inf") for pool in pools}
        with_deferred = {pool.pool for pool in pools if pool.include_deferred}
        self.in_run: Counter[int] = Counter()
        self.of_task: Counter[tuple[str, str]] = Counter()
        self.of_task_in_run: Counter[tuple[int, str]] = Counter()
        self.number = 0
        rows = TaskInstance._base_manager.filter(state__in=[S.QUEUED, S.RUNNING, S.DEFERRED])
        names = ("pool", "dag_id", "dag_run_id", "task_id", "state")
        for pool, dag_id, run, task, state, slots, number in rows.values_list(*names).annotate(Sum("pool_slots"), Count("pk")):
            if state != S.DEFERRED or pool in with_deferred:
                self.pools[pool] = self.pools.get(pool, 0) - slots
            if state != S.DEFERRED:
                self._count(run, dag_id, task, number)

    def _count(self, run: int, dag_id: str, task: str, number: int) -> None:
        self.number += number
        self.in_run[run] += number
        self.of_task[dag_id, task] += number
        self.of_task_in_run[run, task] += number

    def for_group(self, row: dict[str, Any], limits: dict[str, tuple[int, dict[str, Any]]]) -> bool:
        """Return whether one of the group could begin."""
        most, tasks = limits.get(row["dag_id"], (0, {}))
        per_dag, per_run = tasks.get(row["task_id"], (None, None))
        run, task = row["dag_run_id"], row["task_id"]
        return (
            self.number < int(conf.get("core", "parallelism"))
            and self.pools.get(row["pool"], 0) >= max(row["pool_slots"], 1)
            and self.in_run[run] < most
            and (per_dag is None or self.of_task[row["dag_id"], task] < per_dag)
            and (per_run is None or self.of_task_in_run[run, task] < per_run)
        )


def _limits(dag_ids: set[str]) -> dict[str, tuple[int, dict[str, Any]]]:
    found = {}
    for dag in Dag.objects.filter(pk__in=dag_ids):
        tasks: dict[str, Any] = {}
        if dag.has_task_concurrency_limits and dag.latest_version_id is not None:
            try:
                spec = spec_of(dag.latest_version_id)
            except SpecUnreadableError:
                continue  # nothing of it can begin
            tasks = {task.task_id: (task.max_active_tis_per_dag, task.max_active_tis_per_dagrun) for task in spec.tasks}
        found[dag.pk] = (dag.max_active_tasks, tasks)
    return found


def oldest_ready_seconds(now: datetime) -> float | None:
    """Return for how long the oldest task instance waits for slots; None where none does."""
    rows = TaskInstance.objects.filter(state=S.SCHEDULED, dag_run__in=DagRun.objects.running())
    oldest = rows.aggregate(oldest=Min("scheduled_dttm"))["oldest"]
    return max(0.0, (now - oldest).total_seconds()) if oldest else None
