"""Decides the final message of an attempt: what is reported, and the cause that stands beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.sdk.definitions.retry_policy import RetryAction, RetryDecision
from orchestrator.sdk.definitions.shown_words import TaskInstanceState
from orchestrator.sdk.error_detail import text_of
from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.execution.runtime_task_instance import wire
from orchestrator.sdk.serialization.values import encode

MAX_DETAIL = 2000  # characters of the evidence's text


def succeeded(ti: Any, outlets: list[dict[str, Any]] | None = None, events: list[dict[str, Any]] | None = None) -> Message:
    """Return the report of a success, with the assets that the task wrote."""
    message = {"type": "SucceedTask", "state": "success", "end_date": _end(ti, TaskInstanceState.SUCCESS)}
    return {**message, "task_outlets": outlets or [], "outlet_events": events or [], "rendered_map_index": ti.rendered_map_index}


def ended(ti: Any, state: str, cause: str, error: BaseException | str | None = None, **evidence: Any) -> Message:
    """Return the report of an end in ``state`` (failed, skipped, removed)."""
    message = {"type": "TaskState", "state": state, "end_date": _end(ti, TaskInstanceState(state))}
    return {**message, "rendered_map_index": ti.rendered_map_index, "evidence": _evidence(cause, error, evidence)}


def to_retry(ti: Any, cause: str, error: BaseException | str | None = None, **evidence: Any) -> Message:
    """Return the report of a failure after which the server tries again."""
    message = {"type": "RetryTask", "state": "up_for_retry", "end_date": _end(ti, TaskInstanceState.UP_FOR_RETRY)}
    return {**message, "rendered_map_index": ti.rendered_map_index, "evidence": _evidence(cause, error, evidence)}


def failed(
    ti: Any,
    cause: str,
    error: BaseException | str | None = None,
    *,
    may_retry: bool = True,
    policy: RetryDecision | None = None,
    **evidence: Any,
) -> Message:
    """Return the report of a failure: a retry if the server said that there are retries left and ``policy`` does not end it."""
    action = policy.action if policy is not None else RetryAction.DEFAULT
    if not may_retry or action is RetryAction.FAIL or not ti._told.should_retry:
        return ended(ti, "failed", cause, error, **evidence)
    report = to_retry(ti, cause, error, **evidence)
    if policy is not None and action is RetryAction.RETRY:
        delay = policy.retry_delay
        report["retry_delay_seconds"] = delay.total_seconds() if delay is not None else None
        report["retry_reason"] = policy.reason[:500] if policy.reason else None
    return report


def deferred(ti: Any, wait: Any) -> Message:
    """Return the report of a wait that a trigger goes on with; ``wait`` is the ``TaskDeferred``."""
    ti.state = TaskInstanceState.DEFERRED
    classpath, kwargs = wait.trigger.serialize()
    return {
        "type": "DeferTask",
        "state": "deferred",
        "classpath": classpath,
        "trigger_kwargs": encode(kwargs),
        "trigger_timeout": duration(wait.timeout),
        "queue": ti.task.queue if _has_queue(wait.trigger) else None,
        "next_method": wait.method_name,
        "next_kwargs": encode(wait.kwargs or {}),
        "rendered_map_index": ti.rendered_map_index,
    }


def _has_queue(trigger: Any) -> bool:
    """Return whether only triggerers of the task's queue may run its trigger."""
    from orchestrator.sdk.configuration import conf

    return bool(getattr(trigger, "supports_triggerer_queue", True)) and conf.getboolean(
        "triggerer", "queues_enabled", fallback=False
    )


def awaiting_input(ti: Any, wait: Any) -> Message:
    """Return the report of a wait for a person."""
    ti.state = TaskInstanceState.AWAITING_INPUT
    message = {"type": "AwaitInputTask", "state": "awaiting_input", "timeout": duration(wait.timeout)}
    more = {"next_method": wait.method_name, "next_kwargs": encode(wait.kwargs or {})}
    return {**message, **more, "rendered_map_index": ti.rendered_map_index}


def rescheduled(ti: Any, when: datetime) -> Message:
    """Return the report of a sensor that wants to be called again at ``when``."""
    end = _end(ti, TaskInstanceState.UP_FOR_RESCHEDULE)
    return {"type": "RescheduleTask", "state": "up_for_reschedule", "reschedule_date": wire(when), "end_date": end}


def duration(value: timedelta | None) -> str | None:
    """Return the duration in ISO 8601, as the Execution API reads it."""
    if value is None:
        return None
    seconds = value.total_seconds()
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    days, rest = divmod(seconds, 86400)
    text = f"{rest:.6f}".rstrip("0").rstrip(".")
    return f"{sign}P{int(days)}DT{text}S" if days else f"{sign}PT{text}S"


def _end(ti: Any, state: TaskInstanceState) -> str:
    ti.end_date, ti.state = datetime.now(UTC), state
    return wire(ti.end_date)


def _evidence(cause: str, error: BaseException | str | None, more: dict[str, Any]) -> dict[str, Any]:
    if isinstance(error, BaseException):
        error = f"{type(error).__name__}: {text_of(error)}"
    values = {"cause": cause, "cause_detail": error[:MAX_DETAIL] if error else None, **more}
    return {name: value for name, value in values.items() if value is not None}
