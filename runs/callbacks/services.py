"""Decides how a delivery goes from its row to its end: written once, handed over, reported, tried again, muted.

Functions open no transaction: the duty or door that calls them does. Every hand-over has an id of its own; a report
under another one is refused (invariant I1), so a delivery that was handed over again cannot end twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from orchestrator.config import conf
from orchestrator.database import for_update, notify_on_commit
from orchestrator.kernel.backoff import delay
from orchestrator.kernel.ids import new_id
from runs.callbacks.kinds import ALERTS, Kind
from runs.models import AlertMute, Callback

State = Callback.State
SCHEDULER_TOPIC = "scheduler"
MAX_OUTPUT = 10_000  # characters of a delivery's output that are kept


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be written. ``key`` makes it exist once, whoever writes it again."""

    kind: Kind
    dag_id: str
    run_pk: int | None
    payload: dict[str, Any]
    key: str
    ti_id: UUID | None = None
    group_key: str = ""


def deliveries_create(items: Iterable[NewDelivery], *, now: datetime) -> None:
    """Write deliveries beside their cause, and wake the scheduler after the commit; known keys are left as they are."""
    rows = [_row(item, now) for item in items]
    if rows:
        Callback.objects.bulk_create(rows, ignore_conflicts=True)
        notify_on_commit(SCHEDULER_TOPIC)


def _row(item: NewDelivery, now: datetime) -> Callback:
    wait = float(conf.get("callbacks", "alert_group_seconds")) if item.kind in ALERTS and item.group_key else 0.0
    return Callback(
        kind=item.kind,
        dag_id=item.dag_id,
        dag_run_id=item.run_pk,
        ti_id=item.ti_id,
        payload=item.payload,
        dedupe_key=item.key,
        group_key=item.group_key,
        next_attempt_at=now + timedelta(seconds=wait),
        created_at=now,
    )


def deliveries_release(run_pk: int, *, now: datetime) -> None:
    """Let the alerts of a run that has ended go out now: nothing more will join them."""
    waiting = Callback.objects.filter(dag_run_id=run_pk, state=State.PENDING, attempts=0, next_attempt_at__gt=now)
    if waiting.update(next_attempt_at=now):
        notify_on_commit(SCHEDULER_TOPIC)


def deliveries_claim(*, now: datetime, limit: int) -> list[list[Callback]]:
    """Take what is due, each group under one new hand-over; returns the groups, the first of each leads.

    Muted alerts end here. Of two schedulers one gets a row: the other skips locked rows and finds it running afterwards.
    """
    due = Callback.objects.filter(state=State.PENDING, next_attempt_at__lte=now)
    rows = list(_free(due.order_by("next_attempt_at", "pk"))[:limit])
    rows += _with_their_groups(rows)
    rows = _without_muted(rows, now)
    groups = _grouped(rows)
    for group in groups:
        dispatch_id, until = new_id(), lease_end(now)
        for row in group:
            row.state, row.dispatch_id, row.lease_until, row.attempts = State.RUNNING, dispatch_id, until, row.attempts + 1
    Callback.objects.bulk_update([row for group in groups for row in group], ["state", "dispatch_id", "lease_until", "attempts"])
    return groups


def lease_end(now: datetime) -> datetime:
    """Until when an executor may be silent: it begins in this time, and renews the lease while the callback runs."""
    return now + timedelta(seconds=conf.get("callbacks", "callback_lease_seconds"))


def _with_their_groups(rows: Sequence[Callback]) -> list[Callback]:
    keys = {row.group_key for row in rows if row.group_key}
    if not keys:
        return []
    others = Callback.objects.filter(group_key__in=keys, state=State.PENDING).exclude(pk__in=[row.pk for row in rows])
    return list(_free(others.order_by("pk")))


def _free(rows: QuerySet[Callback]) -> QuerySet[Callback]:
    return rows.select_for_update(skip_locked=True, no_key=connection.features.has_select_for_no_key_update)


def _without_muted(rows: Sequence[Callback], now: datetime) -> list[Callback]:
    alerts = {row.dag_id for row in rows if row.kind in ALERTS}
    if not alerts:
        return list(rows)
    muted = set(AlertMute.objects.filter(dag_id__in=alerts, until__gt=now).values_list("dag_id", flat=True))
    silent = [row.pk for row in rows if row.kind in ALERTS and row.dag_id in muted]
    said = "alerts of the DAG are muted"
    Callback.objects.filter(pk__in=silent).update(state=State.MUTED, next_attempt_at=None, last_output=said)
    return [row for row in rows if row.pk not in silent]


def _grouped(rows: Sequence[Callback]) -> list[list[Callback]]:
    groups: dict[Any, list[Callback]] = {}
    for row in sorted(rows, key=lambda row: row.pk):
        groups.setdefault(row.group_key or row.pk, []).append(row)
    return list(groups.values())


def deliveries_renew(dispatch_id: UUID, *, now: datetime) -> bool:
    """Extend the lease of a hand-over that still runs. False: it is not the current one any more and must stop."""
    held = Callback.objects.filter(dispatch_id=dispatch_id, state=State.RUNNING)
    return bool(held.update(lease_until=lease_end(now)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one hand-over ended. ``done`` numbers the callbacks that need not run again, ``result`` is what it gave back."""

    dispatch_id: UUID
    delivered: bool
    output: str = ""
    done: tuple[int, ...] = ()
    result: Any = None


def deliveries_end(outcome: Outcome, *, now: datetime) -> list[Callback]:
    """Take the report of a hand-over; a failed one is tried again later, until the retries are used up.

    Returns the rows that it was about, none where the hand-over is not the current one any more.
    """
    rows = list(for_update(Callback.objects.filter(dispatch_id=outcome.dispatch_id, state=State.RUNNING).order_by("pk")))
    for row in rows:
        row.lease_until, row.last_output = None, outcome.output[-MAX_OUTPUT:]
        if outcome.done:
            row.payload = {**row.payload, "done": sorted({*row.payload.get("done", ()), *outcome.done})}
        _settle(row, outcome.delivered, now)
    fields = ["state", "lease_until", "last_output", "payload", "next_attempt_at", "delivered_at"]
    Callback.objects.bulk_update(rows, fields)
    return rows


def _settle(row: Callback, delivered: bool, now: datetime) -> None:
    if delivered:
        row.state, row.delivered_at, row.next_attempt_at = State.DELIVERED, now, None
    elif row.attempts > int(conf.get("callbacks", "callback_retries")):
        row.state, row.next_attempt_at = State.FAILED, None
    else:
        base, cap = float(conf.get("callbacks", "callback_retry_delay_seconds")), 600.0
        row.state, row.next_attempt_at = State.PENDING, now + timedelta(seconds=delay(row.attempts, base, cap))
        notify_on_commit(SCHEDULER_TOPIC)


def deliveries_lose(dispatches: Collection[UUID], *, now: datetime, why: str) -> list[Callback]:
    """Take hand-overs back whose executor is gone: they are handed over again, as often as failed ones."""
    rows = []
    for dispatch_id in dispatches:
        rows += deliveries_end(Outcome(dispatch_id, False, why), now=now)
    return rows


def deliveries_expired(*, now: datetime, limit: int) -> list[UUID]:
    """Return the hand-overs that nobody reported on in time."""
    late = Callback.objects.filter(state=State.RUNNING, lease_until__lt=now).order_by("lease_until")
    return list(dict.fromkeys(row for row in late.values_list("dispatch_id", flat=True)[:limit] if row))


def delivery_resend(callback: Callback, *, now: datetime) -> bool:
    """Deliver once more, from the start, with all retries. False while it is under way."""
    again = Q(state__in=[State.DELIVERED, State.FAILED, State.MUTED]) | Q(state=State.PENDING)
    payload = {name: value for name, value in callback.payload.items() if name != "done"}
    values = {"state": State.PENDING, "attempts": 0, "next_attempt_at": now, "group_key": "", "delivered_at": None}
    won = Callback.objects.filter(again, pk=callback.pk).update(payload=payload, dispatch_id=None, lease_until=None, **values)
    if won:
        notify_on_commit(SCHEDULER_TOPIC)
    return bool(won)


def alerts_mute(dag_id: str, *, until: datetime, actor: str, reason: str = "") -> AlertMute:
    """Send no alerts of a DAG until a moment."""
    values = {"until": until, "muted_by": actor, "reason": reason}
    return AlertMute.objects.update_or_create(dag_id=dag_id, defaults=values)[0]


def alerts_unmute(dag_id: str) -> bool:
    """Send alerts of a DAG again; False if they were not muted."""
    return bool(AlertMute.objects.filter(dag_id=dag_id).delete()[0])
