"""Decides which instances of an upstream task a reference reads in a running task."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.exceptions import XComNotFound

RETURN_KEY = "return_value"


def pull_output(ti: Any, operator: Any, key: str) -> Any:
    """Return what ``operator`` pushed: a list for all its indexes, or one value.

    A task that returned nothing gives None; a missing other key raises ``XComNotFound``.
    """
    if operator.is_mapped:
        return _all_indexes(ti, operator, key)
    group = operator.get_closest_mapped_task_group()
    if group is None:
        return _one(ti, operator, key, None)
    if group in tuple(ti.task.iter_mapped_task_groups()):
        return _one(ti, operator, key, ti.map_index)
    return _all_indexes(ti, operator, key)


def _all_indexes(ti: Any, operator: Any, key: str) -> list[Any]:
    from orchestrator.sdk.execution import xcom

    # Not ti.xcom_pull: that gives the bare value when there is one index.
    return xcom.get_all(dag_id=ti.dag_id, run_id=ti.run_id, task_id=operator.task_id, key=key) or []


def _one(ti: Any, operator: Any, key: str, map_index: int | None) -> Any:
    value = ti.xcom_pull(task_ids=operator.task_id, key=key, default=NOTSET, map_indexes=map_index)
    if is_arg_set(value):
        return value
    if key == RETURN_KEY or operator.multiple_outputs:
        return None
    raise XComNotFound(ti.dag_id, operator.task_id, key)
