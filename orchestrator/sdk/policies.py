"""Decides what the rules of a cluster change or forbid: ``airflow_local_settings.py`` and packages' ``airflow.policy`` hooks.

They run where user code may run: ``task_policy`` and ``dag_policy`` in parse and task processes,
``task_instance_mutation_hook`` in the parse process (``orchestrator.sdk.plugins.tries``), ``get_airflow_context_vars`` in
the task process, ``get_dagbag_import_timeout`` in the parse process. ``pod_mutation_hook`` is called by who makes pods.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sdk.exceptions import AirflowClusterPolicyError, AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation
from orchestrator.sdk.plugins import places

MARK = "airflow.policy_impl"
POLICIES: dict[str, tuple[str, ...]] = {
    "task_policy": ("task",),
    "dag_policy": ("dag",),
    "task_instance_mutation_hook": ("task_instance", "dag_run"),
    "pod_mutation_hook": ("pod",),
    "get_airflow_context_vars": ("context",),
    "get_dagbag_import_timeout": ("dag_file_path",),
}
CONTEXT_PREFIX = "AIRFLOW_CTX_"

Policy = Callable[..., Any]


@dataclass(slots=True)
class _State:
    found: dict[str, list[Policy]] | None = None
    wanted: bool = field(default=True)


_state = _State()


def hookimpl(function: Any = None, **options: Any) -> Any:
    """Mark a function of a package as a cluster policy; ``specname`` names the policy where the function has another name."""
    if function is None:
        return lambda found: hookimpl(found, **options)
    setattr(function, MARK, options)
    return function


def forget() -> None:
    """Look for policies again at the next use; for tests."""
    _state.found = None


@contextmanager
def no_policies() -> Iterator[None]:
    """Have none inside of the block, and look for none; afterwards it is as before."""
    before, _state.found = _state.found, {}
    try:
        yield
    finally:
        _state.found = before


def has_policy(name: str) -> bool:
    """Tell whether anybody defines the policy. Raises what importing the policies raises."""
    return bool(_policies().get(name))


def apply_to_dag(dag: Any) -> None:
    """Run ``dag_policy``, then ``task_policy`` for each task; both may change what they get.

    Raises ``AirflowClusterPolicyViolation`` and ``AirflowClusterPolicySkipDag`` of a policy, and ``AirflowClusterPolicyError``
    for any other error in one.
    """
    if not (has_policy("dag_policy") or has_policy("task_policy")):
        return
    try:
        _call("dag_policy", dag)
        for task in dag.tasks:
            _call("task_policy", task)
    except (AirflowClusterPolicyViolation, AirflowClusterPolicySkipDag):
        raise
    except Exception as error:
        raise AirflowClusterPolicyError(f"a cluster policy failed: {type(error).__name__}: {error}") from error


def mutate_task_instance(task_instance: Any, dag_run: Any = None) -> None:
    """Run ``task_instance_mutation_hook``."""
    _call("task_instance_mutation_hook", task_instance, dag_run)


def context_vars(context: Any) -> dict[str, str]:
    """Return the variables that ``get_airflow_context_vars`` adds to a task's environment, with Airflow's prefix.

    Raises ``TypeError`` for a name or value that is no text.
    """
    if not has_policy("get_airflow_context_vars"):
        return {}
    given = _first("get_airflow_context_vars", context) or {}
    for name, value in given.items():
        for what, text in (("key", name), ("value", value)):
            if not isinstance(text, str):
                raise TypeError(f"get_airflow_context_vars: {what} <{text}> must be string, not {type(text).__name__}")
    return {name if name.startswith(CONTEXT_PREFIX) else CONTEXT_PREFIX + name.upper(): value for name, value in given.items()}


def import_timeout(path: str, default: float) -> float:
    """Return the seconds that a DAG file may take to import; 0 for no limit. Raises ``TypeError`` for anything but a number."""
    if not has_policy("get_dagbag_import_timeout"):
        return default
    found = _first("get_dagbag_import_timeout", path)
    if found is None:
        return default
    if not isinstance(found, int | float):
        raise TypeError(f"get_dagbag_import_timeout returned {found!r} for {path}; it must return a number of seconds")
    return max(0.0, float(found))


def _call(name: str, *arguments: Any) -> None:
    for policy in _policies().get(name, ()):
        policy(*arguments)


def _first(name: str, *arguments: Any) -> Any:
    for policy in _policies().get(name, ()):
        found = policy(*arguments)
        if found is not None:
            return found
    return None


def _policies() -> dict[str, list[Policy]]:
    """Return the functions by policy, those of ``airflow_local_settings`` first: they have the last word on single values."""
    if _state.found is None:
        found: dict[str, list[Policy]] = {}
        _add_local(found)
        for point in reversed(places.entry_points(places.POLICY_GROUP)):
            _add_marked(point.load(), found)
        _state.found = found
    return _state.found


def _add_local(found: dict[str, list[Policy]]) -> None:
    if importlib.util.find_spec(places.LOCAL_SETTINGS) is None:
        return
    module = importlib.import_module(places.LOCAL_SETTINGS)
    chosen = getattr(module, "__all__", None)
    for name in [name for name in vars(module) if not name.startswith("_")] if chosen is None else chosen:
        function = getattr(module, name, None)
        if name in POLICIES and callable(function):
            found.setdefault(name, []).append(_as_many_as_wanted(function, POLICIES[name]))


def _add_marked(module: Any, found: dict[str, list[Policy]]) -> None:
    for name in dir(module):
        function = getattr(module, name, None)
        options = getattr(function, MARK, None)
        if isinstance(options, dict) and (policy := options.get("specname") or name) in POLICIES:
            found.setdefault(policy, []).append(_as_many_as_wanted(function, POLICIES[policy]))


def _as_many_as_wanted(function: Any, names: tuple[str, ...]) -> Policy:
    """Return the policy so that it can be called by position, whatever its parameters are called and however few it has."""
    parameters = inspect.signature(function).parameters.values()
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    count = sum(parameter.kind in by_position for parameter in parameters)
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        count = len(names)
    return lambda *arguments: function(*arguments[:count])
