"""Decides how one attempt runs in its process: prepare, render, execute, push, report, call back.

Exactly one final message is sent, whatever the task raises. It is sent before the author's callbacks run, so that the
next tasks need not wait for them.
"""

from __future__ import annotations

import contextvars
import logging
import os
import traceback
from datetime import UTC, datetime
from typing import Any, NoReturn

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk import log as task_log
from orchestrator.sdk import policies
from orchestrator.sdk.configuration import conf
from orchestrator.sdk.definitions.keyword_parameters import determine_kwargs
from orchestrator.sdk.definitions.nested_execution import executing
from orchestrator.sdk.exceptions import AirflowTaskTimeout
from orchestrator.sdk.execution import results, xcom, yielded
from orchestrator.sdk.execution.callbacks import mark_left, run_callbacks, run_final_callbacks
from orchestrator.sdk.execution.channel import Channel, GuardedChannel, Message, ask, set_channel, tell
from orchestrator.sdk.execution.context import build_context, context_to_airflow_vars, set_current_context
from orchestrator.sdk.execution.operator_links import push_links
from orchestrator.sdk.execution.outcomes import outcome_of, success_of
from orchestrator.sdk.execution.rendered_fields import shown_fields
from orchestrator.sdk.execution.runtime_task_instance import RuntimeTaskInstance
from orchestrator.sdk.execution.startup import StartupDetails
from orchestrator.sdk.execution.templating.environment import environment_of
from orchestrator.sdk.execution.termination import Termination
from orchestrator.sdk.execution.timeout import TaskTimeout
from orchestrator.sdk.listeners import of_task as listeners
from orchestrator.sdk.serialization.values import decode

log = logging.getLogger("task")

MAX_MAP_INDEX_LABEL = 250


def run_task(startup: StartupDetails | dict[str, Any], channel: Channel, dag: Any) -> int:
    """Run one attempt of a task of the imported ``dag`` and report its end through ``channel``; returns the exit code.

    The exit code is 0 whenever the end was reported, also for a failure. Raises ``ConnectionError`` when the supervisor
    is gone: nobody would record the end.
    """
    details = startup if isinstance(startup, StartupDetails) else StartupDetails.from_json(startup)
    guarded = GuardedChannel(channel)
    set_channel(guarded)
    undo_logging = task_log.install(guarded, conf.get("logging", "logging_level", fallback="INFO"))
    try:
        _run(details, guarded, dag)
    finally:
        undo_logging()
        set_channel(None)
        set_current_context(None)
    return 0


def _run(details: StartupDetails, channel: GuardedChannel, dag: Any) -> None:
    task = dag.task_dict.get(details.ti.task_id)
    if task is None:
        channel.send(_missing_task(details, dag))
        return
    ti = RuntimeTaskInstance(details, task.prepare_for_execution(), dag)
    context: dict[str, Any] = {}
    listeners.tell_starting()
    with Termination(lambda: ti.task) as termination:
        message, error = _attempt(ti, context, termination)
    if not channel.is_usable:
        _leave_forked_child(error)
    push_links(ti)
    mark_left(ti.task, message)
    fault_point("task.before_report")
    channel.send(message)
    fault_point("task.after_report")
    run_final_callbacks(ti.task, ti.state, context, error)
    listeners.tell_ended(ti, error)


def _leave_forked_child(error: BaseException | None) -> NoReturn:
    """End a process that the task forked and that came back here: the attempt belongs to its parent."""
    if error is not None:
        traceback.print_exception(error)
    os._exit(0 if error is None else 1)


def _attempt(ti: RuntimeTaskInstance, context: dict[str, Any], termination: Termination) -> tuple[Message, BaseException | None]:
    """Run the task and return the final message, with the error if it failed."""
    try:
        try:
            fault_point("task.before_context")
            context.update(build_context(ti, ti._told))
            ti._context = context
            _execute(ti, context)
            return success_of(ti, context), None
        except BaseException as error:
            message = outcome_of(ti, context, error, termination.received)
            return message, error if message["type"] in ("TaskState", "RetryTask") and message["state"] != "skipped" else None
    except ConnectionError:
        raise
    except BaseException as error:
        # Making the report failed too: a trigger that cannot be serialized, a second signal, a refused request.
        log.error("Task failed with exception", exc_info=error)
        return results.failed(ti, "user_exception", error), error


def _execute(ti: RuntimeTaskInstance, context: dict[str, Any]) -> None:
    for key in ti._told.xcom_keys_to_clear:
        xcom.delete_xcom(ti, key)
    fault_point("task.before_render")
    set_current_context(context)
    _set_environment(context)
    _render(ti, context)
    listeners.tell_running(ti)
    fault_point("task.before_execute")
    try:
        result = _call(ti, context)
    except BaseException as error:
        _label_ended(ti, context, error)
        raise
    finally:
        # What was rendered only while it ran is wanted most where the task failed or skipped.
        if ti.task.overwrite_rtif_after_execution:
            tell({"type": "SetRenderedFields", "rendered_fields": shown_fields(ti.task)})
    fault_point("task.after_execute")
    _render_map_index(ti, context)
    xcom.push_result(ti, result)


def _set_environment(context: dict[str, Any]) -> None:
    """Set the variables by which programs learn which task started them; those of an attempt before are removed."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CTX_")]:
        del os.environ[name]
    os.environ.update(context_to_airflow_vars(context, in_env_var_format=True) | policies.context_vars(context))


def _render(ti: RuntimeTaskInstance, context: dict[str, Any]) -> None:
    """Render the template fields; a mapped task makes the task of this index first."""
    environment = environment_of(ti.dag)
    ti.task.render_template_fields(context, environment)
    fields = shown_fields(ti.task)
    if fields:
        tell({"type": "SetRenderedFields", "rendered_fields": fields})
    if ti.task.outlets or ti.task.inlets:
        _refuse_inactive_assets(ti)


def _refuse_inactive_assets(ti: RuntimeTaskInstance) -> None:
    inactive = ask({"type": "ValidateInletsAndOutlets", "ti_id": str(ti.id)}).get("inactive_assets")
    if inactive:
        from orchestrator.sdk.exceptions import AirflowInactiveAssetInInletOrOutletException

        raise AirflowInactiveAssetInInletOrOutletException([f"{item.get('name')} ({item.get('uri')})" for item in inactive])


def _call(ti: RuntimeTaskInstance, context: dict[str, Any]) -> Any:
    """Call the author's hooks and ``execute``, or the method that a trigger or a person goes on with."""
    task = ti.task
    noted = context["outlet_events"]
    if task._pre_execute_hook is not None:
        yielded.call(task._pre_execute_hook, noted, context)
    yielded.call(task.pre_execute, noted, context)
    run_callbacks(task, "on_execute_callback", context)
    variables = contextvars.copy_context()
    variables.run(executing.set, task)
    try:
        with TaskTimeout(_seconds_allowed(ti)):
            if ti._told.next_method:
                kwargs = decode(ti._told.next_kwargs or {}, trusted=True)
                result = variables.run(task.resume_execution, ti._told.next_method, kwargs, context)
            else:
                result = variables.run(task.execute, context)
    except AirflowTaskTimeout:
        if task.execution_timeout is not None:
            task.on_kill()
        raise
    if task._post_execute_hook is not None:
        yielded.call(task._post_execute_hook, noted, context, result)
    yielded.call(task.post_execute, noted, context, **determine_kwargs(task.post_execute, (context,), {"result": result}))
    return result


def _seconds_allowed(ti: RuntimeTaskInstance) -> float | None:
    """Return what ``execution_timeout`` allows this process: a wait in a trigger before it does not count, as in Airflow."""
    limit = ti.task.execution_timeout
    return None if limit is None else float(limit.total_seconds())


def _render_map_index(ti: RuntimeTaskInstance, context: dict[str, Any]) -> None:
    template = context.get("map_index_template")
    if template is None:
        return
    label = str(environment_of(ti.dag).from_string(template).render(context))[:MAX_MAP_INDEX_LABEL]
    ti.rendered_map_index = label
    ask({"type": "SetRenderedMapIndex", "rendered_map_index": label})


def _label_ended(ti: RuntimeTaskInstance, context: dict[str, Any], error: BaseException) -> None:
    """Render the label of an attempt that ends otherwise than by returning; a template that fails then is only logged."""
    if isinstance(error, ConnectionError):
        return
    try:
        _render_map_index(ti, context)
    except Exception as failure:
        log.warning("The map_index_template %r could not be rendered: %s", context.get("map_index_template"), failure)


def _missing_task(details: StartupDetails, dag: Any) -> Message:
    text = f"Task {details.ti.task_id!r} is not in DAG {dag.dag_id!r} as its file {details.dag_rel_path!r} defines it now."
    log.error(text)
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    evidence = {"cause": "task_not_found", "cause_detail": text}
    return {"type": "TaskState", "state": "failed", "end_date": now, "rendered_map_index": None, "evidence": evidence}
