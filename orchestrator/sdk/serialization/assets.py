"""Decides how assets, asset conditions and links between DAGs are written in the document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.sdk.serialization.plain_values import Json, plain


def encode(item: Any) -> Json:
    """Return an inlet, an outlet or an asset condition as JSON; other objects become text."""
    serialize = getattr(item, "serialize", None)
    return plain(serialize()) if serialize is not None else plain(item)


def schedule_condition(timetable: Any) -> Json:
    """Return the asset condition of a timetable, or None."""
    return plain(getattr(timetable, "asset_condition", None))


def dag_dependencies(dag: Any, tasks: Iterable[Any]) -> list[Json]:
    """Return the links to other DAGs and to assets, in a fixed order."""
    found = [*_from_tasks(dag, tasks), *_from_schedule(dag)]
    unique = {repr(sorted(link.items())): link for link in found}
    return [unique[key] for key in sorted(unique)]


def _from_tasks(dag: Any, tasks: Iterable[Any]) -> Iterable[dict[str, Json]]:
    for task in tasks:
        arguments = getattr(task, "partial_kwargs", None) or vars(task)
        if "trigger_dag_id" in arguments:
            yield _link(dag.dag_id, str(arguments["trigger_dag_id"]), "trigger", task)
        if task._is_sensor and "external_dag_id" in arguments:
            yield _link(str(arguments["external_dag_id"]), dag.dag_id, "sensor", task)
        for outlet in task.outlets:
            for name in _asset_names(outlet):
                yield {"source": dag.dag_id, "target": "asset", "dependency_type": "asset", "label": name, "dependency_id": name}


def _from_schedule(dag: Any) -> Iterable[dict[str, Json]]:
    for name in _condition_names(schedule_condition(dag.timetable)):
        yield {"source": "asset", "target": dag.dag_id, "dependency_type": "asset", "label": name, "dependency_id": name}


def _link(source: str, target: str, kind: str, task: Any) -> dict[str, Json]:
    return {
        "source": source,
        "target": target,
        "dependency_type": kind,
        "label": task.task_display_name,
        "dependency_id": task.task_id,
    }


def _asset_names(item: Any) -> list[str]:
    return _condition_names(encode(item))


def _condition_names(condition: Json) -> list[str]:
    if not isinstance(condition, dict):
        return []
    names = [str(condition["name"])] if condition.get("name") else []
    for inner in condition.get("objects") or ():
        names.extend(_condition_names(inner))
    return names
