"""Decides what an interface does around an order for a bulk action or its end: one transaction, one audit row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.acting import LONGEST_REASON
from accounts.later import giver_of
from accounts.services import audit_write
from orchestrator.kernel.clock import utcnow
from runs.bulk.requests import ANY, Order
from runs.bulk.services import bulk_cancel, bulk_order
from runs.models import BulkAction


def bulk_order_for(user: Any, order: Order, asked: Mapping[str, Any], *, door: str, reason: str = "") -> BulkAction:
    """Order an action for a user.

    Args:
        user: who acts.
        order: what is to be done.
        asked: the request as the audit log keeps it.
        door: see ``bulk_order``.
        reason: why; kept as far as it fits.
    """
    reason = reason[:LONGEST_REASON]
    with transaction.atomic():
        action = bulk_order(order, giver_of(user), door=door, now=utcnow(), reason=reason)
        extra = {**asked, "bulk_action": action.pk}
        why = {"reason": reason} if reason else {}
        audit_write("create_bulk_action", actor=user.get_username(), extra=extra, dag_id=_only_dag(order), **why)
    return action


def bulk_cancel_for(user: Any, action: BulkAction) -> BulkAction:
    """Begin nothing more of an action. Raises ``NotOpenError``."""
    with transaction.atomic():
        found = bulk_cancel(action, now=utcnow())
        audit_write("cancel_bulk_action", actor=user.get_username(), extra={"bulk_action": found.pk, "done": found.done})
    return found


def _only_dag(order: Order) -> str | None:
    """Return the DAG where the order names a single one, so that its event log shows the order."""
    named = order.selection.get("filters", {}).get("dag_id")
    if "items" in order.selection:
        ids = {item["dag_id"] for item in order.selection["items"]}
        named = ids.pop() if len(ids) == 1 else None
    return named if named != ANY else None
