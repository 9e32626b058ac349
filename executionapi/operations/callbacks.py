"""Decides the answer to a worker that runs a callback: ``PATCH callbacks/{id}/state``, an addition of ours."""

from __future__ import annotations

from typing import Any, Final

from executionapi.calls import Call, Operation, one_by_one
from executionapi.fields import Field, anything, array, one_of, optional, read_object, text
from executionapi.replies import Reply, refusal
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.faults import fault_point
from runs.callbacks.results import take_result
from runs.callbacks.services import Outcome, deliveries_renew

_FIELDS: Final = (
    Field("state", one_of("running", "success", "failed")),
    Field("output", optional(text), required=False, default=""),
    Field("done", optional(array), required=False),
    Field("result", anything, required=False),
)


def read(call: Call) -> dict[str, Any]:
    """The report in a body. The dispatch id of the token says which hand-over speaks."""
    return read_object(call.body, _FIELDS)


def work(call: Call) -> Reply:
    """Renew the lease, or end the hand-over."""
    body, dispatch_id, now = call.value, call.dispatch_id, utcnow()
    if dispatch_id is None:
        return refusal(403, "no_dispatch", "The token names no hand-over").reply
    if body["state"] == "running":
        known = deliveries_renew(dispatch_id, now=now)
    else:
        done = tuple(place for place in body["done"] or () if isinstance(place, int))
        outcome = Outcome(dispatch_id, body["state"] == "success", body["output"] or "", done, body["result"])
        known = bool(take_result(outcome, now=now))
        fault_point("api.after_callback")
    if known:
        return Reply(204)
    return refusal(409, "stale_dispatch", "The callback ended, or was handed over again since").reply


OPERATIONS: Final = (Operation("PATCH", "callbacks/{callback_id}/state", one_by_one(work), read, writes=True, rank=4),)
