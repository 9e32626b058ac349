"""Decides which values the arguments of a DAG may have, and what a whole DAG must fulfil before the server takes it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.definitions.param import ParamsDict
from orchestrator.sdk.definitions.sentinels import is_arg_set
from orchestrator.sdk.definitions.states import DagRunType, word_of
from orchestrator.sdk.exceptions import AirflowTimetableInvalid, ParamValidationError, TaskNotFound

TAG_MAX_LENGTH = 100


def setting(value: Any, key: str, fallback: Any, section: str = "core") -> Any:
    """Return the author's value, else the configured one."""
    return value if is_arg_set(value) else default(section, key, fallback)


def merge_params(params: Any, default_args: dict[str, Any]) -> ParamsDict:
    """Return the DAG's params; those in ``default_args`` are taken out of it and win."""
    merged = ParamsDict(params or {})
    merged.update(ParamsDict(default_args.pop("params", None) or {}))
    return merged


def timetable(schedule: Any, dag: Any) -> Any:
    """Return the timetable of what the author gave to ``schedule=``; raises ``AirflowTimetableInvalid`` or ``ValueError``."""
    from orchestrator.sdk.definitions import asset_schedule
    from orchestrator.sdk.definitions.timetables import timetable_from_schedule

    return timetable_from_schedule(asset_schedule.as_schedule(schedule), dag.timezone)


def max_active_runs(value: int, dag: Any) -> int:
    """Return the limit; a timetable that allows fewer runs at once lowers an unset one and refuses a higher one."""
    limit = dag.timetable.active_runs_limit
    if limit is not None and value > limit:
        name = type(dag.timetable).__name__
        raise ValueError(
            f"max_active_runs of DAG {dag.dag_id!r} is {value}, but {name} allows at most {limit}; set it to {limit}"
        )
    return value


def as_tuple(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return one path or many as a tuple."""
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def as_list_or_none(value: Any) -> list[Any] | None:
    """Return one or many as a list."""
    return None if value is None else value if isinstance(value, list) else [value]


_TYPES = {"description": str, "dag_display_name": str, "catchup": bool, "is_paused_upon_creation": bool}


def check_types(dag: Any) -> None:
    """Raise ``TypeError`` for a value of another type than the server stores; None is allowed."""
    for name, kind in _TYPES.items():
        value = getattr(dag, name)
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} of DAG {dag.dag_id!r} must be a {kind.__name__}, not {type(value).__name__} {value!r:.100}")


def dagrun_timeout(value: Any, dag_id: str) -> timedelta | None:
    """Return the timeout; raises ``TypeError`` for anything but a timedelta, ``ValueError`` for one below zero."""
    if value is not None and not isinstance(value, timedelta):
        raise TypeError(f"dagrun_timeout of DAG {dag_id!r} must be a timedelta, not {type(value).__name__} {value!r}")
    if value is not None and value < timedelta(0):
        raise ValueError(f"dagrun_timeout of DAG {dag_id!r} is {value}; it cannot be below zero")
    return value


def read_doc(text: str | None, fileloc: str) -> str | None:
    """Return the documentation; a name that ends in .md is read from that file, if it is there."""
    if text is None or not text.endswith(".md") or "\n" in text:
        return text
    path = os.path.join(os.path.dirname(fileloc), text)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return text


def tags(value: Collection[str] | None, dag_id: str) -> set[str]:
    """Return the tags; raises ``ValueError`` for one that is too long."""
    found = set(value or ())
    for tag in found:
        if len(tag) > TAG_MAX_LENGTH:
            raise ValueError(f"tag cannot be longer than {TAG_MAX_LENGTH} characters; DAG {dag_id!r} has {tag!r}")
    return found


def owner_links(value: dict[str, str] | None, dag_id: str) -> dict[str, str]:
    """Return links by owner; raises ``ValueError`` for one that is no address."""
    bad = {owner: link for owner, link in (value or {}).items() if not _is_link(link)}
    if bad:
        raise ValueError(f"owner_links of DAG {dag_id!r} must be web or mailto addresses; wrong ones: {bad}")
    return dict(value or {})


def _is_link(link: str) -> bool:
    """As in Airflow any scheme will do, ``slack://…`` too; the pages leave out those by which a browser runs something."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme == "mailto" or bool(parts.scheme and parts.netloc)


def allowed_run_types(value: Any, dag_id: str) -> frozenset[DagRunType] | None:
    """Return the kinds of runs that may be made; None allows all."""
    if value is None:
        return None
    words = [value] if isinstance(value, str) else list(value)
    if not words:
        raise ValueError(f"allowed_run_types of DAG {dag_id!r} is empty; name at least one of {', '.join(DagRunType)}")
    return frozenset(DagRunType(word) for word in words)


def refuse_sla_callback(value: Any, dag_id: str) -> None:
    """Warn about an argument of Airflow 2 that has no effect."""
    if value is not None:
        import warnings

        warnings.warn(
            f"sla_miss_callback of DAG {dag_id!r} has no effect; use deadline=DeadlineAlert(...)", UserWarning, stacklevel=4
        )


def validate(dag: Any) -> None:
    """Check a whole DAG; raises the error of the first thing that is wrong."""
    _check_schedule(dag)
    for task in dag.tasks:
        _check_neighbours(dag, task)
    dag.check_cycle()
    validate_setup_teardown(dag)
    if dag.timetable.can_be_scheduled and dag.timetable.periodic:
        _check_params(dag)


def _check_schedule(dag: Any) -> None:
    try:
        dag.timetable.validate()
    except AirflowTimetableInvalid as error:
        message = f"schedule of DAG {dag.dag_id!r} is {dag.schedule!r}, which cannot be used: {error}"
        raise AirflowTimetableInvalid(message) from error


def _check_neighbours(dag: Any, task: Any) -> None:
    missing = sorted((task.upstream_task_ids | task.downstream_task_ids) - dag.task_dict.keys())
    if missing:
        raise TaskNotFound(f"Task {task.task_id!r} of DAG {dag.dag_id!r} depends on {missing}, which are not in the DAG")


def validate_setup_teardown(dag: Any) -> None:
    """Raise ``ValueError`` for a setup whose direct downstream task would run although the setup failed."""
    for task in dag.tasks:
        if not task.is_setup:
            continue
        for near in task.downstream_list:
            if not near.is_teardown and near.trigger_rule != "all_success":
                raise ValueError(
                    f"Setup tasks must be followed with trigger rule ALL_SUCCESS: {near.task_id!r} follows the setup "
                    f"{task.task_id!r} with {word_of(near.trigger_rule)}"
                )


def _check_params(dag: Any) -> None:
    try:
        dag.params.validate()
    except ParamValidationError as error:
        raise ValueError(f"DAG {dag.dag_id!r} has a schedule, so every param needs a valid default. {error}") from None
