"""Decides what becomes of what a delivery gave back: most of it is only kept, a reference's moment makes a deadline."""

from __future__ import annotations

from datetime import datetime

from runs.callbacks.kinds import Kind
from runs.callbacks.services import Outcome, deliveries_end
from runs.deadlines.services import deadline_from_reference
from runs.models import Callback


def take_result(outcome: Outcome, *, now: datetime) -> list[Callback]:
    """Take the report of a hand-over; returns the rows that it was about, none for one that is not current any more."""
    rows = deliveries_end(outcome, now=now)
    for row in rows:
        if row.kind == Kind.REFERENCE and outcome.delivered:
            deadline_from_reference(row, outcome.result, now=now)
    return rows
