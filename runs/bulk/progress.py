"""Decides what is said of how far a bulk action is: a share, an expected end, one line."""

from __future__ import annotations

from datetime import datetime, timedelta

from runs.bulk.kinds import noun_of
from runs.models import BulkAction


def share_done(action: BulkAction) -> float:
    """Return how much is done, between 0 and 1; nothing is as long as it is not known how much there is."""
    if not action.is_frozen:
        return 0.0
    return 1.0 if action.total == 0 else round(action.done / action.total, 4)


def expected_end(action: BulkAction, now: datetime) -> datetime | None:
    """Return when the action will be over at its pace so far; None before there is a pace, and after the end."""
    if not action.is_open or not action.is_frozen or not action.done or action.started_at is None:
        return None
    spent = max((now - action.started_at).total_seconds(), 0.001)
    return now + timedelta(seconds=spent / action.done * (action.total - action.done))


def line(action: BulkAction) -> str:
    """Return one line for people."""
    what = f"{noun_of(action.target, action.kind)}s"
    total = f"{action.total:,}" if action.is_frozen else f"{action.total:,} so far, being chosen"
    counts = f"{action.changed:,} changed, {action.unchanged:,} unchanged, {action.failed:,} failed"
    said = f"{action.state}: {action.done:,} of {total} {what} ({share_done(action):.0%}): {counts}"
    return f"{said}; {action.error}" if action.error else said
