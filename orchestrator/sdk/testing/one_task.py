"""Decides how one task runs or renders alone, whatever its neighbours did: their results are given, not made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from orchestrator.sdk.testing.attempt import final_of, run_attempt, startup_of
from orchestrator.sdk.testing.clock import TravelClock
from orchestrator.sdk.testing.store import Store, StoredXCom, TaskResult
from orchestrator.sdk.testing.store_channel import StoreChannel

Record = dict[str, Any]


class AloneError(ValueError):
    """The task cannot run alone; the text says what is missing."""


def run_alone(
    task: Any,
    *,
    map_index: int = -1,
    xcoms: Mapping[str, Any] | None = None,
    store: Store | None = None,
    on_log: Callable[[Record], None] | None = None,
    event: Any = None,
    **order: Any,
) -> TaskResult:
    """Run one attempt of a task, or of one index of a mapped one; returns its task instance.

    Args:
        task: the operator, in a DAG.
        map_index: of a mapped task; -1 else.
        xcoms: what other tasks returned, by task id (``a`` or ``a[0]``); a dict of keys under ``task:key``.
        store: variables, connections and so on.
        event: goes on where the task deferred itself, as if its trigger had fired with this payload.
        order: the fields of ``RunOrder``.

    ``state`` is that of the attempt, such as ``up_for_retry`` or ``deferred``.
    """
    dag, store, clock, instance = _prepare(task, map_index, xcoms, store, order)
    channel = run_attempt(dag, instance, store, clock, on_log or _nothing)
    if event is not None and final_of(channel)["type"] in ("DeferTask", "AwaitInputTask"):
        channel = _go_on(dag, instance, store, clock, channel, event, on_log)
    instance.state = final_of(channel)["state"]
    return instance


def render_alone(task: Any, *, map_index: int = -1, store: Store | None = None, **order: Any) -> dict[str, Any]:
    """Return the rendered template fields of a task by name, without running it."""
    from orchestrator.sdk.execution.channel import GuardedChannel, set_channel
    from orchestrator.sdk.execution.context import build_context
    from orchestrator.sdk.execution.runtime_task_instance import RuntimeTaskInstance
    from orchestrator.sdk.execution.startup import StartupDetails
    from orchestrator.sdk.execution.templating.environment import environment_of

    xcoms = order.pop("xcoms", None)
    dag, store, clock, instance = _prepare(task, map_index, xcoms, store, order)
    details = StartupDetails.from_json(startup_of(dag, instance, store))
    set_channel(GuardedChannel(StoreChannel(store, instance, clock, _nothing)))
    try:
        ti = RuntimeTaskInstance(details, dag.task_dict[instance.task_id].prepare_for_execution(), dag)
        context = build_context(ti, ti._told)
        rendered = ti.task.render_template_fields(context, environment_of(dag)) or ti.task
        return {name: getattr(rendered, name) for name in rendered.template_fields}
    finally:
        set_channel(None)


def _prepare(
    task: Any, map_index: int, xcoms: Mapping[str, Any] | None, store: Store | None, order: dict[str, Any]
) -> tuple[Any, Store, TravelClock, TaskResult]:
    from orchestrator.sdk import airflow_names

    airflow_names.install()
    task = getattr(task, "operator", task)
    dag = task.get_dag()
    if dag is None:
        raise AloneError(f"Task {task.task_id!r} is in no DAG; define it in a `with DAG(...)` block.")
    store = store if store is not None else Store()
    chosen = import_module("orchestrator.local_run.order").RunOrder(**order)
    clock = TravelClock(travels=chosen.travels)
    run = chosen.document(dag, clock.now())
    store.runs[dag.dag_id, run["run_id"]] = run
    _give_xcoms(store, dag.dag_id, run["run_id"], xcoms or {})
    retries = int(getattr(task, "retries", 0) or 0)
    instance = TaskResult(dag.dag_id, run["run_id"], task.task_id, map_index, "running", 1, retries, operator=task.operator_name)
    return dag, store, clock, store.add(instance)


def _give_xcoms(store: Store, dag_id: str, run_id: str, xcoms: Mapping[str, Any]) -> None:
    from orchestrator.sdk.serialization.values import encode

    for name, value in xcoms.items():
        label, _, key = name.partition(":")
        task_id, _, index = label.partition("[")
        place = (dag_id, run_id, task_id, int(index.rstrip("]")) if index else -1, key or "return_value")
        length = len(value) if isinstance(value, list | dict | tuple) else None
        store.xcoms[place] = StoredXCom(encode(value), length)


def _go_on(
    dag: Any, instance: TaskResult, store: Store, clock: TravelClock, channel: StoreChannel, event: Any, on_log: Any
) -> StoreChannel:
    from orchestrator.sdk.serialization.values import encode

    final = final_of(channel)
    instance.next_method = final["next_method"]
    instance.next_kwargs = {**(final.get("next_kwargs") or {}), "event": encode(event)}
    return run_attempt(dag, instance, store, clock, on_log or _nothing)


def _nothing(record: Record) -> None:
    """The records stay in the task's own logs."""
