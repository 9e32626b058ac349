"""Decides which limit a scheduled task instance waits at: those of its pool, its DAG, its task, the scheduler.

What holds slots is counted whoever asks; those of DAGs that are hidden from who asks are not named.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Q, Sum

from orchestrator.config import conf
from runs.clear_selection import spec_for_run
from runs.executors.loader import executor_classes, names_for_tasks
from runs.explain.answer import MOST_BLOCKERS, Blocker, Explanation, label, listed, of_instance, of_part, of_pool, said
from runs.explain.history import expected_end, usual_seconds
from runs.explain.platform import Platform
from runs.explain.reasons import Reason
from runs.models import Pool, TaskInstance
from runs.states import TaskInstanceState as S

_LOCAL = ("LocalExecutor", "SequentialExecutor")


def of_scheduled(ti: TaskInstance, parts: Platform, now: datetime) -> Iterator[Explanation]:
    """Yield every limit that holds the instance back, then that its turn is next."""
    yield from _of_time(ti, now)
    yield from _of_executor(ti, parts)
    yield from _of_pool(ti, now)
    yield from _of_caps(ti, now)
    yield from _of_parallelism(ti, parts, now)
    text = f"Task {label(ti)} is ready and has free slots: it is handed over when its turn comes (priority {ti.priority_weight})."
    yield Explanation(Reason.ABOUT_TO_QUEUE, text, (), ti.scheduled_dttm)


def _of_time(ti: TaskInstance, now: datetime) -> Iterator[Explanation]:
    if ti.retry_at is None or ti.retry_at <= now:
        return
    if ti.wait_reason == Reason.LAUNCH:
        detail = ti.wait_detail or {}
        number, error = detail.get("launch_attempt", 1), detail.get("error", "no error known")
        text = f"Launch attempt {number} of task {label(ti)} failed ({error})"
        yield Explanation(Reason.LAUNCH, f"{text}; the next one follows at {said(ti.retry_at)}.", (), ti.wait_since, ti.retry_at)
        return
    text = (
        f"The process of the cleared attempt of task {label(ti)} may still run; it is over at {said(ti.retry_at)} at the latest."
    )
    yield Explanation(Reason.PREVIOUS_ATTEMPT, text, (), ti.wait_since, ti.retry_at)


def _of_executor(ti: TaskInstance, parts: Platform) -> Iterator[Explanation]:
    known = executor_classes()
    wanted = names_for_tasks().get(ti.executor, "") if ti.executor else next(iter(known), "")
    if ti.executor and not wanted:
        text = f"Task {label(ti)} asks for executor {ti.executor!r}; [core] executor has only: {', '.join(known)}."
        yield Explanation(Reason.NO_EXECUTOR, text, (Blocker("executor", ti.executor, ti.executor, "unknown"),), ti.wait_since)
    elif known.get(wanted, wanted) in _LOCAL and not parts.supervisors():
        text = f"No worker is alive for queue {ti.queue}: the scheduler has no supervisor that could begin task {label(ti)}."
        yield Explanation(Reason.NO_WORKER, text, (of_part("supervisor"),), ti.wait_since)


def _of_pool(ti: TaskInstance, now: datetime) -> Iterator[Explanation]:
    pool = Pool.objects.filter(pool=ti.pool).first()
    if pool is None:
        text = f"Pool {ti.pool!r} of task {label(ti)} does not exist: create it, or give the task another pool."
        yield Explanation(Reason.UNKNOWN_POOL, text, (of_pool(ti.pool, "missing"),), ti.wait_since)
        return
    if pool.slots < 0:
        return
    if ti.pool_slots > pool.slots:
        text = f"Task {label(ti)} needs {ti.pool_slots} slots, and pool {pool.pool} has {pool.slots}: make the pool larger."
        yield Explanation(Reason.POOL_TOO_SMALL, text, (of_pool(pool.pool, "too small"),), ti.wait_since)
        return
    states = [S.QUEUED, S.RUNNING, *([S.DEFERRED] if pool.include_deferred else [])]
    holders = Q(pool=pool.pool, state__in=states)
    used = TaskInstance._base_manager.filter(holders).aggregate(used=Sum("pool_slots"))["used"] or 0
    if pool.slots - used < max(ti.pool_slots, 1):
        what = f"Pool {pool.pool} is full: {used} of {pool.slots} slots are taken and task {label(ti)} needs {ti.pool_slots}"
        yield _held_by(Reason.POOL_FULL, what, holders, ti, now, (of_pool(pool.pool, f"{used}/{pool.slots}"),))


def _of_caps(ti: TaskInstance, now: datetime) -> Iterator[Explanation]:
    active = Q(state__in=[S.QUEUED, S.RUNNING])
    of_run, of_task = Q(dag_run_id=ti.dag_run_id), Q(dag_id=ti.dag_id, task_id=ti.task_id)
    counts = TaskInstance._base_manager.filter(active, of_run | of_task).aggregate(
        run=Count("pk", filter=of_run), task=Count("pk", filter=of_task), both=Count("pk", filter=of_run & of_task)
    )
    spec = spec_for_run(ti.dag_run)
    task = spec.task_by_id().get(ti.task_id)
    caps: list[tuple[Reason, int | None, int, Q, str]] = [
        (Reason.TASK_LIMIT, spec.max_active_tasks, counts["run"], of_run, f"run {ti.run_id}"),
        (Reason.TASK_LIMIT_PER_DAG, task.max_active_tis_per_dag if task else None, counts["task"], of_task, "task " + ti.task_id),
        (
            Reason.TASK_LIMIT_PER_RUN,
            task.max_active_tis_per_dagrun if task else None,
            counts["both"],
            of_run & of_task,
            "the run",
        ),
    ]
    for reason, most, number, of_what, where in caps:
        if most is not None and number >= most:
            what = f"{reason} = {most} lets no more of {where} run at once, and {number} {'does' if number == 1 else 'do'}"
            yield _held_by(reason, what, active & of_what, ti, now)


def _of_parallelism(ti: TaskInstance, parts: Platform, now: datetime) -> Iterator[Explanation]:
    """Each scheduler has [core] parallelism of its own: what the supervisors of others have does not count."""
    most = int(conf.get("core", "parallelism"))
    owner = str(ti.dag_run.scheduler_id)
    others = [row.pk for row in parts.supervisors() if row.detail.get("scheduler", owner) != owner]
    active = Q(state__in=[S.QUEUED, S.RUNNING]) & ~Q(queued_by__in=others)
    used = TaskInstance._base_manager.filter(active).count()
    if used >= most:
        what = f"[core] parallelism = {most} lets no more task instances run at once, and {used} do"
        yield _held_by(Reason.PARALLELISM, what, active, ti, now)


def _held_by(
    reason: Reason, what: str, holders: Q, ti: TaskInstance, now: datetime, first: tuple[Blocker, ...] = ()
) -> Explanation:
    named = TaskInstance.objects.filter(holders).defer("next_kwargs", "cause_detail")
    rows = list(named.order_by("start_date", "pk")[:MOST_BLOCKERS])
    usual = usual_seconds(ti.dag_id, {row.task_id for row in rows if row.dag_id == ti.dag_id})
    eta = expected_end([row for row in rows if row.dag_id == ti.dag_id], usual, now, first=True)
    names = listed([f"{row.dag_id}.{label(row)} of {row.run_id}" for row in rows])
    blockers = (*first, *(of_instance(row) for row in rows))[:MOST_BLOCKERS]
    return Explanation(reason, f"{what} (held by {names})." if names else f"{what}.", blockers, ti.wait_since, eta)
