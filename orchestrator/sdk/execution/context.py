"""Decides which names the context of a running task has, and which are missing without a logical date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pendulum

from orchestrator.sdk.definitions.asset import Asset, AssetAlias, AssetNameRef, AssetUriRef
from orchestrator.sdk.definitions.param import ParamsDict, process_params
from orchestrator.sdk.execution.accessors import ConnectionAccessor, VariableAccessor
from orchestrator.sdk.execution.asset_events import InletEventsAccessors, OutletEventAccessors, TriggeringAssetEventsAccessor
from orchestrator.sdk.execution.channel import ask
from orchestrator.sdk.execution.lazy import Proxy
from orchestrator.sdk.execution.macros import MacrosAccessor
from orchestrator.sdk.execution.startup import TIRunContext, instant
from orchestrator.sdk.execution.state_store import AssetStateStoreAccessors, TaskStateStoreAccessor
from orchestrator.sdk.execution.templating import filters

Context = dict[str, Any]


def build_context(ti: Any, told: TIRunContext) -> Context:
    """Return the context of an attempt. Names that make no sense for the run are absent, not None."""
    task, run = ti.task, told.dag_run
    inlets, outlets = task.inlets, task.outlets
    context: Context = {
        "conn": ConnectionAccessor(),
        "dag": ti.dag,
        "dag_run": run,
        "inlet_events": InletEventsAccessors(inlets),
        "inlets": inlets,
        "macros": MacrosAccessor(),
        "map_index_template": task.map_index_template,
        "outlet_events": OutletEventAccessors(),
        "outlets": outlets,
        "params": _params(ti.dag, task, run.conf),
        "partition_date": run.partition_date,
        "partition_key": run.partition_key,
        "run_id": ti.run_id,
        "task": task,
        "task_instance": ti,
        "task_reschedule_count": told.task_reschedule_count,
        "ti": ti,
        "triggering_asset_events": TriggeringAssetEventsAccessor.build(run.consumed_asset_events),
        "var": {"json": VariableAccessor(True), "value": VariableAccessor(False)},
        "task_state_store": TaskStateStoreAccessor(str(ti.id)),
    }
    if any(isinstance(port, Asset | AssetNameRef | AssetUriRef | AssetAlias) for port in (*inlets, *outlets)):
        context["asset_state_store"] = AssetStateStoreAccessors(inlets, outlets)
    context.update(_previous(ti, run.logical_date is not None))
    context.update(_dates(run.logical_date, run.data_interval_start, run.data_interval_end))
    context["task_instance_key_str"] = f"{ti.dag_id}__{ti.task_id}__{context.get('ds_nodash', ti.run_id)}"
    return context


def context_of_unmapped(context: Context, task: Any) -> None:
    """Put the task that one index stands for, and what depends on it, in the place of the mapped one."""
    context["task"] = context["ti"].task = task
    context["inlets"], context["outlets"] = task.inlets, task.outlets
    context["inlet_events"] = InletEventsAccessors(task.inlets)
    context["map_index_template"] = task.map_index_template
    run = context["dag_run"]
    context["params"] = _params(context["dag"], task, run.conf)


def _params(dag: Any, task: Any, conf: dict[str, Any] | None) -> dict[str, Any]:
    """Return the run's params; an operator that reads its own ``params`` finds the same values there.

    The task is the copy of this attempt, and its params become a copy too: what the DAG declares stays as it is.
    """
    values = process_params(dag, task, conf, suppress_exception=False)
    if not task.is_mapped:
        task.params = ParamsDict(task.params)
        for name in task.params:
            task.params.get_param(name).value = values[name]
    return values


def _dates(logical_date: datetime | None, start: datetime | None, end: datetime | None) -> Context:
    if logical_date is None:
        return {}
    date = pendulum.instance(logical_date)
    return {
        "logical_date": date,
        "ds": filters.ds(date),
        "ds_nodash": filters.ds_nodash(date),
        "ts": filters.ts(date),
        "ts_nodash": filters.ts_nodash(date),
        "ts_nodash_with_tz": filters.ts_nodash_with_tz(date),
        "data_interval_start": pendulum.instance(start) if start else None,
        "data_interval_end": pendulum.instance(end) if end else None,
    }


def _previous(ti: Any, has_date: bool) -> Context:
    answer: dict[str, Any] = {}

    def look(name: str) -> Any:
        if not answer:
            answer.update(ask({"type": "GetPrevSuccessfulDagRun", "ti_id": str(ti.id)}))
        value = instant(answer.get(name))
        return pendulum.instance(value) if value is not None else None

    names = {"prev_start_date_success": "start_date", "prev_end_date_success": "end_date"}
    if has_date:
        names |= {
            "prev_data_interval_start_success": "data_interval_start",
            "prev_data_interval_end_success": "data_interval_end",
        }
    return {shown: Proxy(lambda name=name: look(name)) for shown, name in names.items()}  # type: ignore[misc]


_current: Context | None = None


def set_current_context(context: Context | None) -> None:
    """Make the context the one that ``get_current_context`` returns."""
    global _current
    _current = context


def get_current_context() -> Mapping[str, Any]:
    """Return the context of the running task; raises ``RuntimeError`` outside of one."""
    if _current is None:
        raise RuntimeError("Current context was requested but no context was found! Are you running within an Airflow task?")
    return _current


def context_to_airflow_vars(context: Mapping[str, Any], in_env_var_format: bool = False) -> dict[str, str]:
    """Return what programs that a task starts are told about it, under dotted names or as environment variables."""
    ti, run, task = context["ti"], context["dag_run"], context["task"]
    email = task.email
    values = {
        "dag_id": ti.dag_id,
        "task_id": ti.task_id,
        "logical_date": run.logical_date.isoformat() if run.logical_date else None,
        "try_number": ti.try_number,
        "dag_run_id": ti.run_id,
        "dag_owner": task.owner,
        "dag_email": ",".join(email) if isinstance(email, list) else email,
    }
    kept = {name: str(value) for name, value in values.items() if value}
    if in_env_var_format:
        return {f"AIRFLOW_CTX_{name.upper()}": value for name, value in kept.items()}
    return {f"airflow.ctx.{name}": value for name, value in kept.items()}
