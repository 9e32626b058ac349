"""Decides which listeners hear of an attempt in its own process, and with what."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.shown_words import TaskInstanceState
from orchestrator.sdk.listeners.hooks import call
from orchestrator.sdk.plugins.loading import plugins

_BY_STATE = {
    TaskInstanceState.SUCCESS: "on_task_instance_success",
    TaskInstanceState.SKIPPED: "on_task_instance_skipped",
    TaskInstanceState.UP_FOR_RETRY: "on_task_instance_failed",
    TaskInstanceState.FAILED: "on_task_instance_failed",
}


class TaskRunner:
    """The ``component`` of ``on_starting`` and ``before_stopping`` in a task process."""


_component = TaskRunner()


def is_heard() -> bool:
    """Tell whether some plugin has listeners; the usual answer costs one look at a list."""
    return any(plugin.listeners for plugin in plugins().plugins)


def tell_starting() -> None:
    """Before anything else of the attempt."""
    if is_heard():
        call("on_starting", component=_component)


def tell_running(ti: Any) -> None:
    """After templates are rendered, right before the task's own code."""
    if is_heard():
        call("on_task_instance_running", previous_state=TaskInstanceState.QUEUED, task_instance=ti)


def tell_ended(ti: Any, error: BaseException | None) -> None:
    """After the end was reported and the author's callbacks ran; a wait or a reschedule is no end."""
    if not is_heard():
        return
    hook = _BY_STATE.get(ti.state)
    if hook is not None:
        call(hook, previous_state=TaskInstanceState.RUNNING, task_instance=ti, error=error)
    call("before_stopping", component=_component)
