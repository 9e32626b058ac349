"""Decides how a backfill is ordered, paused and cancelled.

Functions run inside the caller's transaction; the DAG's row is held first, so that of two orders at once one wins.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.services import audit_write
from dags_app.models import Dag
from orchestrator.database import for_update, notify_on_commit
from orchestrator.kernel.clock import utcnow
from runs import transitions
from runs.backfills.plan import IN_FLIGHT, RERUN, SKIP, Order, PlannedRun
from runs.backfills.refusals import BackfillClosedError, BackfillOpenError, BackfillRefusedError
from runs.backfills.selectors import backfills_open, plan_of
from runs.changes import SCHEDULER_TOPIC
from runs.models import Backfill, BackfillRun, DagRun, TaskInstance
from runs.run_ids import backfill_run_id
from runs.states import DagRunState, DagRunType

CHUNK = 500


def backfill_create(
    dag: Dag, order: Order, *, user_name: str | None, on_written: Callable[[int, int], None] = lambda number, total: None
) -> Backfill:
    """Write the order with an entry for every date, and its runs as queued.

    Args:
        on_written: told how many dates were written now, and how many there are.

    Raises:
        BackfillRefusedError: one of its kinds, see ``runs.backfills.refusals``.
    """
    now = utcnow()
    dag = for_update(Dag.objects.filter(pk=dag.pk)).get()
    if backfills_open().filter(dag_id=dag.pk).exists():
        raise BackfillOpenError(f"There is already a running backfill for dag {dag.pk}")
    plan = plan_of(dag, order, now)
    if not plan:
        between = f"from {order.from_date.isoformat()} to {order.to_date.isoformat()}"
        raise BackfillRefusedError(f"No runs to create for Dag {dag.pk}: its schedule has no finished date {between}.")
    backfill = _write(dag, order, user_name, now)
    entries = [_entry(backfill, number, item) for number, item in enumerate(plan, start=1)]
    again = [(entry, item) for entry, item in zip(entries, plan, strict=True) if item.action == RERUN]
    new = [(entry, item) for entry, item in zip(entries, plan, strict=True) if item.action not in (RERUN, SKIP)]
    for entry, item in again:
        _run_again(dag, backfill, order, entry, item, now)
        on_written(1, len(plan))
    for start in range(0, len(new), CHUNK):
        _create_runs(dag, backfill, order, some := new[start : start + CHUNK], now)
        on_written(len(some), len(plan))
    BackfillRun.objects.bulk_create(entries, batch_size=CHUNK)
    audit_write("create_backfill", actor=user_name, dag_id=dag.pk, extra=_shown(order) | {"backfill_id": backfill.pk})
    notify_on_commit(SCHEDULER_TOPIC)
    return backfill


def _write(dag: Dag, order: Order, user_name: str | None, now: datetime) -> Backfill:
    try:
        with transaction.atomic():
            return Backfill.objects.create(
                dag=dag,
                from_date=order.from_date,
                to_date=order.to_date,
                dag_run_conf=order.conf,
                reprocess_behavior=order.reprocess,
                run_backwards=order.run_backwards,
                run_on_latest_version=order.run_on_latest_version,
                max_active_runs=order.max_active_runs,
                triggering_user_name=user_name,
                created_at=now,
                updated_at=now,
            )
    except IntegrityError as error:
        raise BackfillOpenError(f"There is already a running backfill for dag {dag.pk}") from error


def _entry(backfill: Backfill, number: int, item: PlannedRun) -> BackfillRun:
    return BackfillRun(
        backfill=backfill,
        sort_ordinal=number,
        logical_date=item.info.logical_date,
        partition_key=item.info.partition_key,
        exception_reason=item.reason,
    )


def _create_runs(dag: Dag, backfill: Backfill, order: Order, new: list[tuple[BackfillRun, PlannedRun]], now: datetime) -> None:
    """Insert the runs; a date that got a run since it was looked at is left to that run."""
    runs = [_new_run(dag, backfill, order, item, now) for _, item in new]
    DagRun.objects.bulk_create(runs, ignore_conflicts=True)
    ours = DagRun.objects.filter(backfill=backfill, run_id__in=[run.run_id for run in runs])
    made = dict(ours.values_list("run_id", "pk"))
    for (entry, _), run in zip(new, runs, strict=True):
        entry.dag_run_id = made.get(run.run_id)
        entry.exception_reason = None if entry.dag_run_id else IN_FLIGHT


def _new_run(dag: Dag, backfill: Backfill, order: Order, item: PlannedRun, now: datetime) -> DagRun:
    info = item.info
    interval = info.data_interval if info.logical_date else None
    return DagRun(
        dag=dag,
        run_id=backfill_run_id(run_after=info.run_after, partition_key=info.partition_key),
        run_type=DagRunType.BACKFILL,
        state=DagRunState.QUEUED,
        logical_date=info.logical_date,
        data_interval_start=interval.start if interval else None,
        data_interval_end=interval.end if interval else None,
        partition_key=info.partition_key,
        partition_date=info.partition_date,
        run_after=info.run_after,
        queued_at=now,
        conf=order.conf or {},
        triggered_by="backfill",
        triggering_user_name=backfill.triggering_user_name,
        backfill=backfill,
        created_dag_version_id=dag.latest_version_id,
        bundle_version=dag.bundle_version,
    )


def _run_again(dag: Dag, backfill: Backfill, order: Order, entry: BackfillRun, item: PlannedRun, now: datetime) -> None:
    """Clear a finished run and take it into the backfill; one that somebody else re-opened meanwhile is left to them."""
    pk = item.present.pk if item.present else 0
    held = for_update(DagRun.objects.filter(pk=pk)).first()  # lock order: the run before its task instances
    actor = backfill.triggering_user_name or "backfill"
    if held is None or not transitions.set_run_state(pk, DagRunState.QUEUED, now=now, actor=actor, cause="backfill"):
        entry.exception_reason = IN_FLIGHT
        return
    transitions.clear(list(TaskInstance.objects.filter(dag_run_id=pk).values_list("pk", flat=True)), now=now, actor=actor)
    values: dict[str, Any] = {"run_type": DagRunType.BACKFILL, "triggered_by": "backfill", "backfill": backfill}
    if order.conf is not None:
        values["conf"] = order.conf
    if order.run_on_latest_version:
        values |= {"created_dag_version_id": dag.latest_version_id, "bundle_version": dag.bundle_version}
    DagRun.objects.filter(pk=pk).update(scheduler_id=None, clear_number=F("clear_number") + 1, **values)
    entry.dag_run_id = pk


def backfill_pause(backfill: Backfill, is_paused: bool, *, actor: str | None) -> Backfill:
    """Begin no further run, or go on; running ones go on in both cases. Raises ``BackfillClosedError``."""
    backfill = _open(backfill)
    if backfill.is_paused != is_paused:
        backfill.is_paused, backfill.updated_at = is_paused, utcnow()
        backfill.save(update_fields=["is_paused", "updated_at"])
        _audit("pause_backfill" if is_paused else "unpause_backfill", backfill, actor)
        notify_on_commit(SCHEDULER_TOPIC)
    return backfill


def backfill_cancel(backfill: Backfill, *, actor: str | None) -> Backfill:
    """End a backfill: its queued runs fail, its running ones go on as runs of their own (C22-a).

    No unfinished run belongs to it afterwards, so that each can be cleared and runs by the DAG's own limits. Raises
    ``BackfillClosedError``.
    """
    now = utcnow()
    for_update(Dag.objects.filter(pk=backfill.dag_id)).first()  # who starts runs holds this row too
    backfill = _open(backfill)
    runs = DagRun.objects.filter(backfill=backfill)
    for pk in for_update(runs.filter(state=DagRunState.QUEUED)).order_by("pk").values_list("pk", flat=True):
        transitions.set_run_state(pk, DagRunState.FAILED, now=now, actor=actor or "backfill", cause="backfill_cancelled")
    runs.unfinished().update(backfill=None)
    backfill.is_paused, backfill.completed_at, backfill.cancelled_at, backfill.updated_at = True, now, now, now
    backfill.save(update_fields=["is_paused", "completed_at", "cancelled_at", "updated_at"])
    _audit("cancel_backfill", backfill, actor)
    notify_on_commit(SCHEDULER_TOPIC)
    return backfill


def _open(backfill: Backfill) -> Backfill:
    held = for_update(Backfill.objects.filter(pk=backfill.pk)).get()
    if held.completed_at is not None:
        raise BackfillClosedError("Backfill is already completed.")
    return held


def _audit(event: str, backfill: Backfill, actor: str | None) -> None:
    audit_write(event, actor=actor, dag_id=backfill.dag_id, extra={"backfill_id": backfill.pk})


def _shown(order: Order) -> dict[str, Any]:
    return {
        "from_date": order.from_date.isoformat(),
        "to_date": order.to_date.isoformat(),
        "reprocess_behavior": order.reprocess,
        "run_backwards": order.run_backwards,
        "max_active_runs": order.max_active_runs,
        "run_on_latest_version": order.run_on_latest_version,
        "dag_run_conf": order.conf,
    }
