"""Decides what each kind of delivery does in a worker: the author's callbacks, functions by path, notifiers, e-mails."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from orchestrator.sdk.notifiers.alerts import as_list, build

log = logging.getLogger("airflow.callback")

Report = dict[str, Any]
IN_DAG_FILE = "unusual_prefix_"  # how modules are named that are DAG files


def deliver(workload: dict[str, Any]) -> Report:
    """Carry out one workload. Returns ``ok``, ``output``, ``done`` (places of callbacks that succeeded) and ``result``.

    Raises what prevents it as a whole, such as a DAG file that cannot be imported.
    """
    from orchestrator.sdk.execution.host.loading import prepare_import_paths

    prepare_import_paths(workload["paths"])
    return _KINDS[workload["callback"]["kind"]](workload)


def _task_callbacks(workload: dict[str, Any]) -> Report:
    data = workload["callback"]["data"]
    dag = _dag(workload, data["ti"]["dag_id"])
    task = dag.task_dict.get(data["ti"]["task_id"])
    if task is None:
        raise LookupError(f"Task {data['ti']['task_id']!r} is not in DAG {dag.dag_id!r} as its file defines it now.")
    context = _context(workload, dag, task)
    return _call_all(as_list(getattr(task, data["event"], None)), context, data)


def _dag_callbacks(workload: dict[str, Any]) -> Report:
    data = workload["callback"]["data"]
    dag = _dag(workload, data["dag_run"]["dag_id"])
    task = dag.task_dict.get(data["ti"]["task_id"]) if data.get("ti") else None
    if task is not None:
        context = _context(workload, dag, task)
    else:
        from orchestrator.sdk.execution.alert_context import told_run

        context = {"dag": dag, "run_id": data["dag_run"]["run_id"], "dag_run": told_run(data["dag_run"])}
    context["reason"] = data["reason"]
    return _call_all(as_list(getattr(dag, data["event"], None)), context, data)


def _call_all(callbacks: list[Any], context: dict[str, Any], data: dict[str, Any]) -> Report:
    """Call what has not succeeded before; one that fails hinders no other."""
    done, output = [], []
    passed = {*data.get("skip", ()), *data.get("done", ())}
    for index, callback in enumerate(callbacks):
        if index in passed:
            continue
        name = getattr(callback, "__qualname__", None) or type(callback).__name__
        log.info("Running callback %s (%s)", name, data["event"])
        try:
            callback(context)
        except Exception as error:
            log.exception("Callback %s failed", name)
            output.append(f"{name}: " + "".join(traceback.format_exception(error)))
        else:
            done.append(index)
    return {"ok": not output, "output": "\n".join(output) or f"{len(done)} called", "done": done}


def _by_path(workload: dict[str, Any]) -> Report:
    data = workload["callback"]["data"]
    found = _imported(workload, data["path"])
    kwargs, context = _arguments(data), data.get("context") or {}
    result = _call_with_context(found, kwargs, context)
    if hasattr(result, "deliver"):  # a built-in notifier, which says when it fails
        result = result.deliver(context)
    if callable(result):  # a class such as a notifier: the path named what makes the callback
        log.info("Calling the %s that %s made", type(result).__name__, data["path"])
        result = result(context) if not _takes_keywords(result) else _call_with_context(result, {}, context)
    if inspect.isawaitable(result):
        result = asyncio.run(_awaited(result))
    return {"ok": True, "output": "" if result is None else str(result), "done": []}


def _arguments(data: dict[str, Any]) -> dict[str, Any]:
    if not data.get("encoded"):
        return dict(data.get("kwargs") or {})
    from orchestrator.sdk.serialization.values import decode

    return dict(decode(data["kwargs"], trusted=True))


async def _awaited(result: Any) -> Any:
    return await result


def _call_with_context(function: Callable[..., Any], kwargs: dict[str, Any], context: dict[str, Any]) -> Any:
    return function(**kwargs, context=context) if takes_context(function) else function(**kwargs)


def takes_context(function: Callable[..., Any]) -> bool:
    """Return whether a callable has a parameter ``context``, or takes any keyword."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == "context" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)


def _takes_keywords(function: Callable[..., Any]) -> bool:
    keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    return any(p.kind in keyword for p in inspect.signature(function).parameters.values())


def _imported(workload: dict[str, Any], path: str) -> Any:
    """Return what a path names; a path into a DAG file means the file of this DAG, wherever it lies here."""
    module_name, _, name = path.rpartition(".")
    if module_name.split(".")[0].startswith(IN_DAG_FILE):
        from orchestrator.sdk.execution.host.loading import load_dags

        file = _file(workload)
        load_dags(file)
        module = next(m for n, m in list(sys.modules.items()) if n.startswith(IN_DAG_FILE) and m.__file__ == file)
    else:
        module = import_module(module_name)
    return getattr(module, name)


def _notifier(workload: dict[str, Any]) -> Report:
    from orchestrator.sdk.execution.alert_context import alert_context

    data = workload["callback"]["data"]
    build(data["path"], data["kwargs"]).deliver(alert_context(data))
    return {"ok": True, "output": f"sent by {data['path'].rpartition('.')[2]}", "done": []}


def _email(workload: dict[str, Any]) -> Report:
    from orchestrator.sdk.execution.alert_context import alert_context
    from orchestrator.sdk.execution.task_email import send_task_email

    data = workload["callback"]["data"]
    send_task_email(data, alert_context(data))
    return {"ok": True, "output": "sent", "done": []}


def _reference(workload: dict[str, Any]) -> Report:
    """Ask the author's reference from when a deadline counts; it gets no database session, since no worker has one."""
    data = workload["callback"]["data"]
    reference = _imported(workload, data["path"]).deserialize_reference(data["reference"])
    run = data["dag_run"]
    known = {"dag_id": run["dag_id"], "run_id": run["run_id"]}
    wanted = set(getattr(reference, "required_kwargs", None) or known)
    found = reference._evaluate_with(session=None, **{name: value for name, value in known.items() if name in wanted})
    if isinstance(found, timedelta) or not isinstance(found, datetime | None):
        raise TypeError(f"{data['path']}._evaluate_with must return a datetime or None, not {type(found).__name__}")
    return {"ok": True, "output": str(found), "done": [], "result": found.isoformat() if found else None}


def _file(workload: dict[str, Any]) -> str:
    """Return the DAG file, of the version of the bundle that the run is pinned to."""
    from orchestrator.sdk.execution.host.loading import load_plugins, path_of

    bundle = workload["bundle_info"]
    load_plugins(workload.get("plugins") or {})
    folder = "" if bundle.get("version") else workload["bundle_path"]
    return path_of({"bundle": bundle, "path": str(Path(folder) / workload["dag_rel_path"])})


def _dag(workload: dict[str, Any], dag_id: str) -> Any:
    from orchestrator.sdk.execution.host.loading import load_dags

    dags = load_dags(_file(workload))
    if dag_id not in dags:
        raise LookupError(f"The DAG {dag_id!r} is not in the file {_file(workload)}; it has {sorted(dags)}.")
    return dags[dag_id]


def _context(workload: dict[str, Any], dag: Any, task: Any) -> dict[str, Any]:
    """Return the whole context of the attempt, as its own process would have had it."""
    from orchestrator.sdk.definitions.shown_words import TaskInstanceState
    from orchestrator.sdk.exceptions import AirflowException
    from orchestrator.sdk.execution.runtime_task_instance import RuntimeTaskInstance
    from orchestrator.sdk.execution.startup import StartupDetails, instant

    data = workload["callback"]["data"]
    told = {"dag_run": data["dag_run"], "max_tries": data["ti"]["max_tries"]}
    told["should_retry"] = data["ti"]["state"] == "up_for_retry"
    started = data["ti"].get("start_date") or data["dag_run"].get("start_date") or data["dag_run"]["run_after"]
    details = {"ti": data["ti"], "start_date": started, "ti_context": told}
    bundle = {**workload["bundle_info"], "folder": workload.get("bundle_path", "")}
    details |= {"dag_rel_path": workload["dag_rel_path"], "bundle_info": bundle}
    ti = RuntimeTaskInstance(StartupDetails.from_json(details), task.prepare_for_execution(), dag)
    ti.state = TaskInstanceState(data["ti"]["state"]) if data["ti"].get("state") else None
    ti.end_date = instant(data["ti"].get("end_date"))
    context = ti.get_template_context()
    context["exception"] = AirflowException(data["exception"]) if data.get("exception") else None
    context["reason"] = data.get("reason")
    return context


_KINDS: dict[str, Callable[[dict[str, Any]], Report]] = {
    "task_callback": _task_callbacks,
    "dag_callback": _dag_callbacks,
    "deadline": _by_path,
    "notifier": _notifier,
    "email": _email,
    "deadline_reference": _reference,
}
