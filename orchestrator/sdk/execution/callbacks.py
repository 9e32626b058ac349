"""Decides which callbacks of the author run in the task process, and that one which fails changes nothing.

Built-in notifiers are left to the server where there is one: it groups them, repeats them and shows what became of them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from orchestrator.sdk.definitions.shown_words import TaskInstanceState
from orchestrator.sdk.notifiers.alerts import alerts_of, as_list

log = logging.getLogger("airflow.task")

BY_STATE = {
    TaskInstanceState.SUCCESS: "on_success_callback",
    TaskInstanceState.SKIPPED: "on_skipped_callback",
    TaskInstanceState.UP_FOR_RETRY: "on_retry_callback",
    TaskInstanceState.FAILED: "on_failure_callback",
}
LETTERS = {TaskInstanceState.FAILED: "email_on_failure", TaskInstanceState.UP_FOR_RETRY: "email_on_retry"}

_server_sends_alerts = False


def leave_alerts_to_server(leave: bool = True) -> None:
    """Say whether this process belongs to a worker, whose server sends the built-in notifiers and the e-mails."""
    global _server_sends_alerts
    _server_sends_alerts = leave


def run_callbacks(task: Any, kind: str, context: dict[str, Any], skip: Collection[int] = ()) -> None:
    """Call each callback of the kind (``on_success_callback`` and so on) with the context; a failing one is logged."""
    for index, callback in enumerate(as_list(getattr(task, kind, None))):
        if index in skip:
            continue
        try:
            callback(context)
        except Exception:
            log.exception("Failed to run task callback %s %r", kind, getattr(callback, "__name__", callback))


def run_final_callbacks(task: Any, state: TaskInstanceState | None, context: dict[str, Any], error: BaseException | None) -> None:
    """Call the callbacks that belong to the state in which the attempt ended; ``context["exception"]`` is the error."""
    kind = BY_STATE.get(state) if state is not None else None
    if kind is not None:
        context["exception"] = error
        run_callbacks(task, kind, context, _left(task, kind))


def _left(task: Any, kind: str) -> set[int]:
    alerts = alerts_of(getattr(task, kind, None)) if _server_sends_alerts else None
    return {item["index"] for item in alerts["items"]} if alerts else set()


def mark_left(task: Any, message: dict[str, Any]) -> None:
    """Say in the final message that there are alerts for the server to send; a task without any reports as ever."""
    state = TaskInstanceState(message["state"]) if _server_sends_alerts and message.get("state") in _STATES else None
    if state is None:
        return
    letters = bool(getattr(task, "email", None)) and getattr(task, LETTERS.get(state, ""), False)
    if letters or _left(task, BY_STATE[state]):
        message["evidence"] = {**(message.get("evidence") or {}), "leaves": "alerts"}


_STATES = frozenset(state.value for state in BY_STATE)
