"""Decides which functions are listeners, in which order they are called, and that one which fails stops nothing.

The mark is an attribute ``airflow_impl`` on the function, the same that the library ``pluggy`` sets for the project name
``airflow``: listeners marked by either work here.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

from orchestrator.sdk.plugins.loading import Loaded, plugins

log = logging.getLogger("airflow.listeners")

MARK = "airflow_impl"
HOOKS: dict[str, tuple[str, ...]] = {
    "on_starting": ("component",),
    "before_stopping": ("component",),
    "on_task_instance_running": ("previous_state", "task_instance"),
    "on_task_instance_success": ("previous_state", "task_instance"),
    "on_task_instance_failed": ("previous_state", "task_instance", "error"),
    "on_task_instance_skipped": ("previous_state", "task_instance"),
    "on_dag_run_running": ("dag_run", "msg"),
    "on_dag_run_success": ("dag_run", "msg"),
    "on_dag_run_failed": ("dag_run", "msg"),
    "on_asset_created": ("asset",),
    "on_asset_alias_created": ("asset_alias",),
    "on_asset_changed": ("asset",),
    "on_asset_event_emitted": ("asset_event",),
    "on_new_dag_import_error": ("filename", "stacktrace"),
    "on_existing_dag_import_error": ("filename", "stacktrace"),
}
"""The hooks of Airflow's listeners with the arguments that each may take."""

Hook = Callable[..., Any]
_extra: list[Any] = []


def hookimpl(function: Any = None, **options: Any) -> Any:
    """Mark a function of a listener.

    :param options: ``specname`` (the hook, where the function has another name), ``tryfirst``, ``trylast``.
    """
    if function is None:
        return lambda found: hookimpl(found, **options)
    setattr(function, MARK, options)
    return function


def add_listener(listener: Any) -> None:
    """Register a module or object beside those of plugins; twice changes nothing."""
    if not any(known is listener for known in _extra):
        _extra.append(listener)


def clear_listeners() -> None:
    """Forget the listeners that were added one by one."""
    _extra.clear()


def heard(loaded: Loaded) -> set[str]:
    """Return the names of the hooks that some listener implements."""
    return {name for listener in [*loaded.all("listeners"), *_extra] for name, _, _ in _implementations(listener)}


def call(hook: str, **arguments: Any) -> int:
    """Call every listener of a hook, the last registered first; returns how many were called.

    A function gets the arguments that it names. An error is logged and the next one is called.
    """
    functions = _functions(hook)
    for function in functions:
        try:
            function(**_wanted(function, arguments))
        except Exception:
            log.exception("error calling listener %s of hook %s", getattr(function, "__qualname__", function), hook)
    return len(functions)


def _functions(hook: str) -> list[Hook]:
    found = [item for listener in [*plugins().all("listeners"), *_extra] for item in _implementations(listener)]
    chosen = [(rank, function) for name, rank, function in reversed(found) if name == hook]
    return [function for _, function in sorted(chosen, key=lambda item: item[0])]


def _implementations(listener: Any) -> list[tuple[str, int, Hook]]:
    """Return hook, rank (first -1, last 1) and function for each marked function of a module, class or object."""
    found = []
    for name in dir(listener):
        if name.startswith("__"):
            continue
        function = inspect.getattr_static(listener, name, None)
        plain = getattr(function, "__func__", function)
        options = getattr(plain, MARK, None)
        if not isinstance(options, dict):
            continue
        hook = options.get("specname") or name
        rank = -1 if options.get("tryfirst") else 1 if options.get("trylast") else 0
        if hook in HOOKS:
            found.append((hook, rank, getattr(listener, name)))
    return found


def _wanted(function: Hook, arguments: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return arguments
    return {parameter.name: arguments[parameter.name] for parameter in parameters if parameter.name in arguments}
