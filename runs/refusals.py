"""Decides what a worker is told about an attempt that is no longer the current one."""

from __future__ import annotations

from uuid import UUID

from runs.causes import Cause
from runs.models import StateChange, TaskInstanceHistory
from runs.reports import Answer
from runs.states import TaskInstanceState as S

_SAME_END = {S.UP_FOR_RETRY: {S.UP_FOR_RETRY, S.FAILED}, S.FAILED: {S.UP_FOR_RETRY, S.FAILED}}


def refusal(ti_id: UUID, reported: str | None = None) -> Answer:
    """Return the answer for an id that no current attempt has.

    An archived attempt whose end is the one reported is a repeat (invariant I5): the first report made it history.
    """
    past = TaskInstanceHistory.objects.filter(id=ti_id).first()
    if past is None:
        return Answer(missing=True, reason="not_found")
    cleared = past.cause == Cause.CLEARED  # it was taken from its worker: whatever that reports now is no repeat
    if reported is not None and not cleared and past.state in _SAME_END.get(S(reported), {reported}):
        return Answer(repeated=True, previous_state=past.state)
    last = StateChange.objects.filter(dag_run_id=past.dag_run_id, ti_id=ti_id).order_by("-id").first()
    return Answer(previous_state=past.state, reason=past.cause or "superseded", actor=last.actor if last else "")
