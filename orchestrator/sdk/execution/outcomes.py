"""Decides what an exception out of a task means for its attempt: which final message, which cause, retry or not."""

from __future__ import annotations

import logging
from typing import Any

from orchestrator.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    DagRunTriggerException,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
    TaskDeferred,
)
from orchestrator.sdk.execution import results
from orchestrator.sdk.execution.asset_events import profiles
from orchestrator.sdk.execution.channel import Message, ask
from orchestrator.sdk.execution.retry_decisions import policy_decision

log = logging.getLogger("task")


def outcome_of(ti: Any, context: dict[str, Any], error: BaseException, signal_number: int | None = None) -> Message:
    """Return the final message for an exception; failures are logged with their traceback."""
    if isinstance(error, TaskAwaitingInput):
        return results.awaiting_input(ti, error)
    if isinstance(error, TaskDeferred):
        log.info("Pausing task as DEFERRED. dag_id=%s task_id=%s run_id=%s", ti.dag_id, ti.task_id, ti.run_id)
        return results.deferred(ti, error)
    if isinstance(error, AirflowSkipException):
        log.info("Skipping task. reason=%s", error.args[0] if error.args else None)
        return results.ended(ti, "skipped", "skip", error if error.args else None)
    if isinstance(error, AirflowRescheduleException):
        log.info("Rescheduling task, marking task as UP_FOR_RESCHEDULE")
        return results.rescheduled(ti, error.reschedule_date)
    if isinstance(error, DownstreamTasksSkipped):
        return _skip_downstream(ti, context, error)
    if isinstance(error, DagRunTriggerException):
        from orchestrator.sdk.execution.trigger_run import trigger_run

        return trigger_run(ti, context, error)
    return _failure(ti, context, error, signal_number)


def success_of(ti: Any, context: dict[str, Any]) -> Message:
    """Return the report of a success, with the task's outlets and their events."""
    return results.succeeded(ti, profiles(ti.task.outlets), context["outlet_events"].for_report())


def _skip_downstream(ti: Any, context: dict[str, Any], error: DownstreamTasksSkipped) -> Message:
    tasks = [list(item) if isinstance(item, tuple) else item for item in error.tasks]
    log.info("Skipping downstream tasks. count=%d tasks=%s", len(tasks), tasks)
    ask({"type": "SkipDownstreamTasks", "tasks": tasks})
    return success_of(ti, context)


def _failure(ti: Any, context: dict[str, Any], error: BaseException, signal_number: int | None) -> Message:
    if isinstance(error, SystemExit):
        code = exit_code_of(error)
        log.error("Task exited with sys.exit(%r) instead of returning", error.code, exc_info=error)
        said = f"The task called sys.exit({error.code!r})."
        return results.failed(ti, "exit_code", said, policy=policy_decision(ti, context, error), exit_code=code)
    if isinstance(error, AirflowTaskTerminated):
        log.error("Task was terminated", exc_info=error)
        return results.failed(ti, "signal", error, may_retry=signal_number is not None, signal=signal_number)
    log.error("Task failed with exception", exc_info=error)
    if isinstance(error, AirflowFailException | AirflowSensorTimeout):
        return results.failed(ti, "fail_exception", error, may_retry=False)
    cause = "execution_timeout" if isinstance(error, AirflowTaskTimeout) else "user_exception"
    return results.failed(ti, cause, error, policy=policy_decision(ti, context, error))


def exit_code_of(error: SystemExit) -> int:
    """Return the exit code that Python gives a process that ends with this exception."""
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1
