"""Decides what the Execution API is told at the end of an attempt, and the cause that stands beside it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Message = dict[str, Any]

FINAL_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "SucceedTask": ("success", ("end_date", "task_outlets", "outlet_events", "rendered_map_index")),
    "TaskState": ("failed", ("end_date", "rendered_map_index")),
    "RetryTask": ("up_for_retry", ("end_date", "rendered_map_index", "retry_delay_seconds", "retry_reason")),
    "DeferTask": (
        "deferred",
        ("classpath", "trigger_kwargs", "trigger_timeout", "queue", "next_method", "next_kwargs", "rendered_map_index"),
    ),
    "AwaitInputTask": ("awaiting_input", ("timeout", "next_method", "next_kwargs", "rendered_map_index")),
    "RescheduleTask": ("up_for_reschedule", ("reschedule_date", "end_date")),
}
WITH_END_DATE = frozenset({"SucceedTask", "TaskState", "RetryTask", "RescheduleTask"})
WITHOUT_EVIDENCE = frozenset({"DeferTask", "AwaitInputTask", "RescheduleTask"})
USUAL_CAUSE = {"success": "success", "skipped": "skip", "failed": "user_exception", "up_for_retry": "user_exception"}


@dataclass(slots=True)
class Exit:
    """How a process ended; both None when nobody could see it."""

    code: int | None = None
    signal: int | None = None
    peak_rss_kb: int | None = None

    @classmethod
    def of(cls, status: int, peak_rss_kb: int | None = None) -> Exit:
        """Read a wait status."""
        number = status & 0x7F
        return cls(None if number else (status >> 8) & 0xFF, number or None, peak_rss_kb)

    @property
    def text(self) -> str:
        """One sentence for a person."""
        if self.signal is not None:
            return f"The task process was ended by signal {self.signal} ({signal.Signals(self.signal).name})."
        return f"The task process exited with code {self.code} without saying how the task ended."


def now() -> str:
    """Return this instant as the Execution API reads it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def evidence(cause: str, detail: str | None, end: Exit) -> dict[str, Any]:
    """Return the evidence object of the Execution API, without what is not known."""
    values = {
        "cause": cause,
        "cause_detail": detail[:2000] if detail else None,
        "exit_code": end.code,
        "signal": end.signal,
        "peak_rss_kb": end.peak_rss_kb,
    }
    return {name: value for name, value in values.items() if value is not None}


def final_body(message: Message, peak_rss_kb: int | None) -> Message:
    """Return the body for `task-instances/{id}/state` from a task's own last message."""
    state, names = FINAL_FIELDS[message["type"]]
    body: Message = {"state": message.get("state") or state}
    body.update({name: message[name] for name in names if message.get(name) is not None})
    if message["type"] in WITH_END_DATE:
        body.setdefault("end_date", now())
    if message["type"] not in WITHOUT_EVIDENCE:
        given = message.get("evidence") or {}
        cause = message.get("cause") or given.get("cause") or USUAL_CAUSE.get(body["state"])
        detail = message.get("cause_detail") or given.get("cause_detail")
        measured = Exit(message.get("exit_code") or given.get("exit_code"), None, peak_rss_kb)
        body["evidence"] = {**given, **evidence(cause or "user_exception", detail, measured)}
        if body["state"] == "success":
            del body["evidence"]["cause"]
    return body


def silent_end_body(cause: str, detail: str | None, end: Exit, should_retry: bool) -> Message:
    """Return the body for an attempt whose process ended without a last message, so that nobody called its callbacks."""
    state = "up_for_retry" if should_retry else "failed"
    return {"state": state, "end_date": now(), "evidence": {**evidence(cause, detail, end), "leaves": "callbacks"}}


def cause_of(end: Exit, oom_killed: bool) -> tuple[str, str]:
    """Return cause and detail for a process that ended on its own without a last message."""
    if end.signal == signal.SIGKILL and oom_killed:
        return "out_of_memory", "The kernel ended the task process because memory ran out."
    if end.signal is not None:
        return "signal", end.text
    return "exit_code", end.text
