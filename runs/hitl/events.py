"""Decides what a task that waits for a person is told when it goes on; the words are those that the operators read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from runs.models import HITLDetail
from runs.resumptions import Resumption

NOBODY_ANSWERED: Final = {
    "error": "The Human-in-the-loop response timeout has passed without a response.",
    "error_type": "timeout",
}


def event_of(question: HITLDetail, *, timedout: bool = False) -> Any:
    """Return the event of an answered question in the wire format of XComs; ``timedout`` for the answer by default."""
    # Imported when an answer comes: a server without questions never needs it.
    from orchestrator.sdk.serialization.values import encode

    return encode(
        {
            "chosen_options": list(question.chosen_options or []),
            "params_input": question.params_input or {},
            "responded_at": question.responded_at,
            "responded_by_user": question.responded_by,
            "timedout": timedout,
        }
    )


def begin_waits(until: Mapping[UUID, datetime | None]) -> list[Resumption]:
    """Note when the questions of attempts that wait now expire.

    Returns how those attempts go on whose question was answered before their worker let go. Locks the questions.
    """
    goes_on = []
    for question in HITLDetail.objects.filter(ti_id__in=list(until)).select_for_update().order_by("pk"):
        if question.responded_at is not None:
            goes_on.append(Resumption(question.ti_id, None, event=event_of(question)))
        else:
            question.expires_at = until[question.ti_id]
            question.save(update_fields=["expires_at"])
    return goes_on
