"""Decides which callbacks of the author run in the task process, and that one which fails changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from orchestrator.sdk.execution.run_states import TaskInstanceState

log = logging.getLogger("airflow.task")

BY_STATE = {
    TaskInstanceState.SUCCESS: "on_success_callback",
    TaskInstanceState.SKIPPED: "on_skipped_callback",
    TaskInstanceState.UP_FOR_RETRY: "on_retry_callback",
    TaskInstanceState.FAILED: "on_failure_callback",
}


def run_callbacks(task: Any, kind: str, context: dict[str, Any]) -> None:
    """Call each callback of the kind (``on_success_callback`` and so on) with the context; a failing one is logged."""
    for callback in _all(getattr(task, kind, None)):
        try:
            callback(context)
        except Exception:
            log.exception("Failed to run task callback %s %r", kind, getattr(callback, "__name__", callback))


def run_final_callbacks(task: Any, state: TaskInstanceState | None, context: dict[str, Any], error: BaseException | None) -> None:
    """Call the callbacks that belong to the state in which the attempt ended; ``context["exception"]`` is the error."""
    kind = BY_STATE.get(state) if state is not None else None
    if kind is not None:
        context["exception"] = error
        run_callbacks(task, kind, context)


def _all(callbacks: Any) -> Iterable[Any]:
    if not callbacks:
        return ()
    return callbacks if isinstance(callbacks, list | tuple) else (callbacks,)
