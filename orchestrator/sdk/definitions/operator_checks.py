"""Decides which values the arguments of every operator may have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from orchestrator.sdk.definitions import shown_words
from orchestrator.sdk.definitions.rules import TriggerRule
from orchestrator.sdk.exceptions import FailFastDagInvalidTriggerRule

_TYPES: dict[str, tuple[type, ...]] = {
    "email": (str, Sequence),
    "email_on_retry": (bool,),
    "email_on_failure": (bool,),
    "retry_exponential_backoff": (int, float),
    "depends_on_past": (bool,),
    "ignore_first_depends_on_past": (bool,),
    "wait_for_past_depends_before_skipping": (bool,),
    "wait_for_downstream": (bool,),
    "priority_weight": (int,),
    "queue": (str,),
    "pool": (str,),
    "pool_slots": (int,),
    "trigger_rule": (str,),
    "run_as_user": (str,),
    "map_index_template": (str,),
    "max_active_tis_per_dag": (int,),
    "max_active_tis_per_dagrun": (int,),
    "executor": (str,),
    "do_xcom_push": (bool,),
    "multiple_outputs": (bool,),
    "doc": (str,),
    "doc_md": (str,),
    "doc_json": (str,),
    "doc_yaml": (str,),
    "doc_rst": (str,),
    "task_display_name": (str,),
    "logger_name": (str,),
    "allow_nested_operators": (bool,),
}


_RESOURCES = {"cpus", "ram", "disk", "gpus"}


def check_types(task_id: str, values: dict[str, Any]) -> None:
    """Raise ``TypeError`` that names task, argument and value if one has the wrong type; None is allowed."""
    for name, types in _TYPES.items():
        value = values.get(name)
        if value is not None and not isinstance(value, types):
            wanted = " or ".join(kind.__name__ for kind in types)
            raise TypeError(f"argument {name!r} of task {task_id!r} must be {wanted}, not {type(value).__name__}: {value!r:.100}")


def duration(value: Any, name: str, task_id: str) -> timedelta | None:
    """Return a timedelta from a timedelta or from seconds."""
    if value is None or isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value)
    raise TypeError(f"{name} of task {task_id!r} must be a timedelta or seconds, not {value!r}")


def execution_timeout(value: Any, task_id: str) -> timedelta | None:
    """Return the timeout; raises ``ValueError`` for anything but a timedelta."""
    if value is not None and not isinstance(value, timedelta):
        raise ValueError(f"execution_timeout of task {task_id!r} must be a timedelta, not {type(value).__name__} {value!r}")
    return value


def retries(value: Any, task_id: str) -> int:
    """Return the number of retries; None is 0."""
    if value is None:
        return 0
    try:
        return int(value)
    except (TypeError, ValueError):
        raise TypeError(f"retries of task {task_id!r} must be an integer, not {type(value).__name__} {value!r}") from None


def trigger_rule(value: Any, task_id: str, dag: Any) -> Any:
    """Return the rule; raises ``ValueError`` for an unknown one, ``FailFastDagInvalidTriggerRule`` in a fail-fast DAG."""
    word = getattr(value, "value", value)
    if not TriggerRule.is_valid(word):
        known = ", ".join(sorted(TriggerRule))
        raise ValueError(f"trigger_rule of task {task_id!r} is {value!r}; it must be one of {known}")
    FailFastDagInvalidTriggerRule.check(fail_fast=bool(dag and dag.fail_fast), trigger_rule=word)
    return shown_words.TriggerRule(word)


def pool_slots(value: int, task_id: str) -> int:
    """Return the slots; raises ``ValueError`` below one."""
    if value < 1:
        raise ValueError(f"pool_slots of task {task_id!r} is {value}; it must be at least 1")
    return value


def resources(value: Any, task_id: str) -> dict[str, float] | None:
    """Return the amounts by name; raises ``TypeError`` for an unknown name or no number, ``ValueError`` below zero."""
    if not value:
        return None
    what = f"resources of task {task_id!r}"
    if not isinstance(value, Mapping) or (unknown := sorted(set(value) - _RESOURCES)):
        wrong = f"unknown {unknown}" if isinstance(value, Mapping) else f"{value!r:.100}"
        raise TypeError(f"{what}: {wrong}; they are a dict of {', '.join(sorted(_RESOURCES))}")
    for name, amount in value.items():
        if amount is not None and not isinstance(amount, int | float):
            raise TypeError(f"{what}: {name} must be a number, not {amount!r:.100}")
        if amount is not None and amount < 0:
            raise ValueError(f"{what}: {name} is {amount}; it must not be below 0")
    return dict(value)


def as_list(value: Any) -> list[Any]:
    """Return one or many (inlets, outlets, callbacks) as a list."""
    if value is None:
        return []
    if isinstance(value, Collection) and not isinstance(value, str | bytes | dict):
        return list(value)
    return [value]
