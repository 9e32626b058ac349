"""Decides how a bulk action is ordered, frozen, taken one step further, set aside and ended; the only writer of its state.

Functions open no transaction: the interface or the duty that calls them does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from accounts import acting
from accounts.access import Access
from accounts.later import Giver, access_now
from accounts.reach import reaching
from accounts.roles import Role
from orchestrator.database import for_update, notify_on_commit
from orchestrator.kernel.backoff import delay
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.ids import new_id
from orchestrator.kernel.telemetry import count
from runs.bulk.carry_out import carry_out, holds_end
from runs.bulk.found import RunItems
from runs.bulk.parts import TooManyItemsError, freeze
from runs.bulk.requests import Order
from runs.bulk.selection import page_after
from runs.changes import SCHEDULER_TOPIC
from runs.models import BulkAction, BulkFailure, BulkPart

Page = tuple[list[RunItems], int | None]
State = BulkAction.State
OPEN = (State.QUEUED, State.RUNNING)
FAILURES_KEPT = 1000
MOST_TRIES = 5


class NotOpenError(Exception):
    """The action is over: nothing is left to cancel."""


def bulk_order(order: Order, giver: Giver, *, door: str, now: datetime, reason: str = "") -> BulkAction:
    """Order an action; a scheduler begins it as soon as it hears of it.

    ``door`` is where the order came in, in the words in which runs name what triggered them: ``ui``, ``rest_api``, ``cli``.
    """
    known = acting.facts()
    action = BulkAction.objects.create(
        kind=order.kind,
        target=order.target,
        selection=order.selection,
        options=order.options,
        actor=giver.user_name,
        authority=giver.authority,
        user_id=giver.user_id,
        token_id=giver.token_id,
        token_name=giver.token_name,
        door=door,
        reason=(reason or known.reason)[: acting.LONGEST_REASON],
        request_id=known.request_id or new_id().hex,
        created_at=now,
    )
    notify_on_commit(SCHEDULER_TOPIC)
    return action


def bulk_cancel(action: BulkAction, *, now: datetime) -> BulkAction:
    """Begin no further part; what is done stays done. Waits for the part that is under way. Raises ``NotOpenError``."""
    held = for_update(BulkAction.objects.filter(pk=action.pk)).get()
    if not held.is_open:
        raise NotOpenError(f"bulk action {held.pk} is {held.state} since {held.ended_at}: nothing is left to cancel")
    _end(held, State.CANCELLED, now)
    return held


def open_actions(now: datetime) -> QuerySet[BulkAction]:
    """Return the actions that can go on now; the one that has waited longest first, so that none holds up another."""
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    return BulkAction.objects.filter(due, state__in=OPEN).order_by(F("served_at").asc(nulls_first=True), "pk")


def bulk_begin(action: BulkAction, now: datetime) -> Access | None:
    """Take a locked action up for one step; returns the rights that count for it, None where it ends for want of any."""
    access = access_now(_giver(action))
    if action.state == State.QUEUED:
        action.state, action.started_at = State.RUNNING, now
    action.served_at, action.retry_at, action.error = now, None, ""
    if access is None or (best := access.best()) is None or best < Role.USER:
        _fail(action, f"{action.actor} may not change DAGs any more", now)
        return None
    action.save()
    return access


def bulk_look(action: BulkAction, access: Access) -> Page:
    """Return the next page of what the action means, outside of a transaction: over a large history it may take a moment."""
    with reaching(access.scope(Role.USER)):
        return page_after(action, action.frozen_to)


def bulk_freeze(action: BulkAction, page: Page, now: datetime) -> None:
    """Write a page down, unless somebody else did so or ended the action meanwhile."""
    held = for_update(BulkAction.objects.filter(pk=action.pk, state=State.RUNNING)).first()
    if held is None or held.is_frozen or held.frozen_to != action.frozen_to:
        return
    held.tries = 0
    try:
        freeze(held, *page)
    except TooManyItemsError as error:
        _fail(held, str(error), now)
    held.save()
    fault_point("bulk.freezing")


def bulk_step(action: BulkAction, access: Access, now: datetime) -> int:
    """Do one part of a locked action whose selection is frozen, or end it. Returns how many items were done.

    The row of the part goes in the same transaction as its work: whoever dies in between has done nothing, and nobody
    does it twice.
    """
    action.tries = 0
    part = action.open_parts.order_by("number").first()
    if part is None:
        _end(action, State.DONE, now)
        return 0
    acting.begin(action.request_id, action.reason).token_name = action.token_name
    try:
        return _do(action, part, access, now)
    finally:
        acting.end()


def _giver(action: BulkAction) -> Giver:
    return Giver(action.actor, action.authority, action.user_id, action.token_id, action.token_name)


def _do(action: BulkAction, part: BulkPart, access: Access, now: datetime) -> int:
    tally = carry_out(action, part, access, now)
    room = max(0, FAILURES_KEPT - action.failed)
    BulkFailure.objects.bulk_create(tally.failures[:room])
    action.done += tally.done
    action.changed += tally.changed
    action.failed += len(tally.failures)
    part.delete()
    action.save()
    count("bulk_actions.items", tally.done, kind=action.kind, target=action.target)
    fault_point("bulk.before_commit")
    return tally.done


def bulk_set_aside(action_pk: int, error: Exception, *, now: datetime) -> None:
    """Let an action wait whose part could not be done as a whole; after some tries it has failed."""
    action = for_update(BulkAction.objects.filter(pk=action_pk, state__in=OPEN)).first()
    if action is None:
        return
    action.tries += 1
    action.error = f"{type(error).__name__}: {error}"
    action.retry_at = now + timedelta(seconds=delay(action.tries, 1.0, 60.0))
    if action.tries >= MOST_TRIES:
        _fail(action, action.error, now)
    action.save()


def _fail(action: BulkAction, error: str, now: datetime) -> None:
    _end(action, State.FAILED, now)
    action.error = error
    action.save()


def _end(action: BulkAction, state: str, now: datetime) -> None:
    holds_end(action)
    action.open_parts.all().delete()
    action.state, action.ended_at, action.retry_at = state, now, None
    action.save()
