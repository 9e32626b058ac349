"""Decides the answer to a worker that reports how attempts left it: ``PATCH task-instances/{id}/state``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from executionapi.calls import Call, Operation
from executionapi.fields import (
    Field,
    anything,
    duration,
    instant,
    integer,
    mapping,
    number,
    objects,
    one_of,
    optional,
    read_object,
    text,
)  # fmt: skip
from executionapi.replies import RefusalError, Reply, attempt_not_found, refusal
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.faults import fault_point
from runs import transitions
from runs.reports import Answer, Deferral, InputWait, Report, Reschedule

T = TypeVar("T")

_END = Field("end_date", instant)
_INDEX = Field("rendered_map_index", optional(text), required=False)
_EVIDENCE = Field("evidence", optional(mapping), required=False)
_EVIDENCE_FIELDS: Final = (
    Field("cause", text, required=False, default=""),
    Field("cause_detail", optional(text), required=False, default=""),
    Field("exit_code", optional(integer), required=False),
    Field("signal", optional(integer), required=False),
    Field("peak_rss_kb", optional(integer), required=False),
    Field("leaves", one_of("", "alerts", "callbacks"), required=False, default=""),
)
_TERMINAL: Final = (
    Field("state", one_of("failed", "skipped", "removed", "upstream_failed")),
    _END,
    _INDEX,
    _EVIDENCE,
)
_SUCCESS: Final = (
    Field("state", one_of("success")),
    _END,
    Field("task_outlets", objects, required=False),
    Field("outlet_events", objects, required=False),
    _INDEX,
    _EVIDENCE,
)
_RETRY: Final = (
    Field("state", one_of("up_for_retry")),
    _END,
    _INDEX,
    Field("retry_delay_seconds", optional(number), required=False),
    Field("retry_reason", optional(text), required=False),
    _EVIDENCE,
)
_DEFERRED: Final = (
    Field("state", one_of("deferred")),
    Field("classpath", text),
    Field("trigger_kwargs", anything, required=False),
    Field("trigger_timeout", optional(duration), required=False),
    Field("queue", optional(text), required=False),
    Field("next_method", text),
    Field("next_kwargs", anything, required=False),
    _INDEX,
)
_AWAITING: Final = (
    Field("state", one_of("awaiting_input")),
    Field("timeout", optional(duration), required=False),
    Field("next_method", text),
    Field("next_kwargs", anything, required=False),
    _INDEX,
)
_RESCHEDULE: Final = (
    Field("state", one_of("up_for_reschedule")),
    Field("reschedule_date", instant),
    _END,
)
_STATE: Final = (
    Field(
        "state",
        one_of("success", "failed", "skipped", "removed", "upstream_failed", "up_for_retry", "deferred", "up_for_reschedule"),
    ),
)
INPUT_SINCE: Final = "2026-06-30"


def read(call: Call) -> Report | Deferral | InputWait | Reschedule:
    """The report in a body, by the state that it names."""
    ti_id = call.ti_id
    state = call.body.get("state") if isinstance(call.body, dict) else None
    reader = _READERS.get(state) if isinstance(state, str) else None
    if reader is None or (state == "awaiting_input" and call.version < INPUT_SINCE):
        if isinstance(call.body, dict):
            read_object({name: value for name, value in call.body.items() if name == "state"}, _STATE)
        read_object(call.body, _STATE)
        raise RefusalError(422, [])
    return reader(call, ti_id)


def _read_end(call: Call, ti_id: UUID) -> Report:
    fields, place = (_SUCCESS, "success") if call.body["state"] == "success" else (_TERMINAL, "_terminal_")
    body = read_object(call.body, fields, ("body", place))
    return Report(
        ti_id, call.dispatch_id, body["state"], body["end_date"], body["rendered_map_index"], **_evidence(body["evidence"]),
        outlets=body.get("task_outlets") or (), outlet_events=body.get("outlet_events") or (),
    )  # fmt: skip


def _read_retry(call: Call, ti_id: UUID) -> Report:
    body = read_object(call.body, _RETRY, ("body", "up_for_retry"))
    evidence = _evidence(body["evidence"])
    if body["retry_reason"]:
        said = evidence.get("cause_detail")
        reason = body["retry_reason"][:500]
        evidence["cause_detail"] = f"{said} (retry policy: {reason})" if said else reason
    return Report(
        ti_id, call.dispatch_id, body["state"], body["end_date"], body["rendered_map_index"],
        **evidence, retry_delay=body["retry_delay_seconds"],
    )  # fmt: skip


def _read_deferral(call: Call, ti_id: UUID) -> Deferral:
    body = read_object(call.body, _DEFERRED, ("body", "deferred"))
    kwargs = body["trigger_kwargs"] if body["trigger_kwargs"] is not None else {}
    return Deferral(
        ti_id,
        call.dispatch_id,
        classpath=body["classpath"],
        # Text is what the worker has encrypted or serialized itself; it is passed on as it is.
        kwargs=kwargs if isinstance(kwargs, str) else json.dumps(kwargs),
        next_method=body["next_method"],
        next_kwargs=body["next_kwargs"] if body["next_kwargs"] is not None else {},
        trigger_timeout=_later(body["trigger_timeout"]),
        rendered_map_index=body["rendered_map_index"],
        queue=body["queue"],
    )


def _later(span: Any) -> datetime | None:
    if span is None:
        return None
    try:
        later: datetime = utcnow() + span
    except OverflowError:
        return None
    return later


def _read_input_wait(call: Call, ti_id: UUID) -> InputWait:
    body = read_object(call.body, _AWAITING, ("body", "awaiting_input"))
    kwargs, timeout = body["next_kwargs"] or {}, _later(body["timeout"])
    return InputWait(ti_id, call.dispatch_id, body["next_method"], kwargs, timeout, body["rendered_map_index"])


def _read_reschedule(call: Call, ti_id: UUID) -> Reschedule:
    body = read_object(call.body, _RESCHEDULE, ("body", "up_for_reschedule"))
    return Reschedule(ti_id, call.dispatch_id, body["reschedule_date"], body["end_date"])


_READERS: Final[dict[str, Callable[[Call, UUID], Report | Deferral | InputWait | Reschedule]]] = {
    "success": _read_end,
    "failed": _read_end,
    "skipped": _read_end,
    "removed": _read_end,
    "upstream_failed": _read_end,
    "up_for_retry": _read_retry,
    "deferred": _read_deferral,
    "up_for_reschedule": _read_reschedule,
    "awaiting_input": _read_input_wait,
}


def _evidence(value: dict[str, Any] | None) -> dict[str, Any]:
    if not value:
        return {}
    # What a newer worker knows besides is no reason to lose the report of an attempt that ended.
    known = {field.name: value[field.name] for field in _EVIDENCE_FIELDS if field.name in value}
    body = read_object(known, _EVIDENCE_FIELDS, ("body", "evidence"))
    body["cause_detail"] = body["cause_detail"] or ""
    return body


def work(calls: list[Call]) -> list[Reply]:
    """Write all reports, each kind by its transition."""
    now = utcnow()
    values = [call.value for call in calls]
    answers: dict[UUID, Answer] = {}
    fault_point("api.before_finish")
    if ends := _of_kind(values, Report):
        answers |= transitions.finish(ends, now=now)
    if deferrals := _of_kind(values, Deferral):
        answers |= transitions.defer(deferrals, now=now)
    if waits := _of_kind(values, InputWait):
        answers |= transitions.await_input(waits, now=now)
    if pokes := _of_kind(values, Reschedule):
        answers |= transitions.reschedule(pokes, now=now)
    fault_point("api.after_finish")
    return [_reply(call, answers[call.value.ti_id]) for call in calls]


def _of_kind(values: Sequence[Any], kind: type[T]) -> list[T]:
    return [value for value in values if isinstance(value, kind)]


def _reply(call: Call, answer: Answer) -> Reply:
    if answer.accepted:
        return Reply(204)
    if answer.missing:
        return attempt_not_found(call.value.ti_id).reply
    more = {"actor": answer.actor} if answer.actor else {}
    message = f"The task instance is {answer.previous_state or 'not scheduled'}; a report counts only while it runs"
    if answer.previous_state == "running":
        message = "The task instance runs under a later hand-over; a report of an earlier one does not count"
    return refusal(409, "invalid_state", message, previous_state=answer.previous_state, **more).reply


OPERATIONS: Final = (Operation("PATCH", "task-instances/{task_instance_id}/state", work, read, own=True, writes=True, rank=3),)
