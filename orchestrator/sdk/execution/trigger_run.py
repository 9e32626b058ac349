"""Decides what TriggerDagRunOperator does once its arguments are known: start the run, and wait for it if asked."""

from __future__ import annotations

import logging
import threading
from typing import Any

from orchestrator.sdk.definitions.states import word_of
from orchestrator.sdk.exceptions import AirflowException, AirflowRuntimeError, DagRunTriggerException, ErrorType
from orchestrator.sdk.execution import results, xcom
from orchestrator.sdk.execution.channel import Message, ask
from orchestrator.sdk.execution.retry_decisions import policy_decision
from orchestrator.sdk.execution.runtime_task_instance import wire

log = logging.getLogger("task")

XCOM_RUN_ID = "trigger_run_id"


def trigger_run(ti: Any, context: dict[str, Any], order: DagRunTriggerException) -> Message:
    """Start the run and return the final message of this attempt."""
    log.info("Triggering Dag Run. trigger_dag_id=%s", order.trigger_dag_id)
    try:
        ask(_order(order))
    except AirflowRuntimeError as error:
        if getattr(error.error, "error", None) is not ErrorType.DAGRUN_ALREADY_EXISTS:
            log.error("Task failed with exception", exc_info=error)
            return results.failed(ti, "user_exception", error, policy=policy_decision(ti, context, error))
        if order.skip_when_already_exists:
            log.info(
                "Dag Run already exists, skipping task as skip_when_already_exists is set to True. run_id=%s", order.dag_run_id
            )
            return results.ended(
                ti, "skipped", "skip", f"Run {order.dag_run_id!r} of DAG {order.trigger_dag_id!r} exists already."
            )
        log.error("Dag Run already exists, marking task as failed. dag_id=%s run_id=%s", order.trigger_dag_id, order.dag_run_id)
        return results.ended(
            ti, "failed", "user_exception", f"Run {order.dag_run_id!r} of DAG {order.trigger_dag_id!r} exists already."
        )
    xcom.set_xcom(ti, XCOM_RUN_ID, order.dag_run_id)
    return _wait(ti, context, order) if order.wait_for_completion else _succeeded(ti, context)


def _wait(ti: Any, context: dict[str, Any], order: DagRunTriggerException) -> Message:
    if order.deferrable:
        return results.deferred(ti, _deferral(order))
    pause = threading.Event()
    while True:
        pause.wait(order.poke_interval)
        state = word_of(ti.get_dagrun_state(order.trigger_dag_id, order.dag_run_id))
        if state in map(word_of, order.failed_states):
            # Like the deferred way: retries and the retry policy apply.
            failure = AirflowException(f"{order.trigger_dag_id} failed with failed state {state}")
            log.error("Dag Run %s finished with failed state %s", order.dag_run_id, state)
            return results.failed(ti, "user_exception", failure, policy=policy_decision(ti, context, failure))
        if state in map(word_of, order.allowed_states):
            return _succeeded(ti, context)
        log.debug("Run %s is %s; looking again in %s s", order.dag_run_id, state, order.poke_interval)


def _deferral(order: DagRunTriggerException) -> Any:
    from orchestrator.sdk.exceptions import TaskDeferred
    from orchestrator.sdk.triggers.external_task import DagStateTrigger  # type: ignore[import-not-found,unused-ignore]

    trigger = DagStateTrigger(
        dag_id=order.trigger_dag_id,
        states=order.allowed_states + order.failed_states,
        run_ids=[order.dag_run_id],
        poll_interval=order.poke_interval,
    )
    return TaskDeferred(trigger=trigger, method_name="execute_complete")


def _order(order: DagRunTriggerException) -> Message:
    return {
        "type": "TriggerDagRun",
        "dag_id": order.trigger_dag_id,
        "run_id": order.dag_run_id,
        "logical_date": wire(order.logical_date) if order.logical_date else None,
        "run_after": wire(order.run_after) if order.run_after else None,
        "conf": order.conf,
        "reset_dag_run": order.reset_dag_run,
        "note": order.note,
    }


def _succeeded(ti: Any, context: dict[str, Any]) -> Message:
    from orchestrator.sdk.execution.outcomes import success_of

    return success_of(ti, context)
