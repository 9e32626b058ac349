"""Decides which instances of an upstream task a reference reads in a running task."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.exceptions import XComNotFound

RETURN_KEY = "return_value"


def pull_output(ti: Any, operator: Any, key: str) -> Any:
    """Return what ``operator`` pushed: a lazy sequence for a mapped task, one value, or what ``xcom_pull`` makes of a group.

    A task that returned nothing gives None; a missing other key raises ``XComNotFound``.
    """
    if operator.is_mapped:
        from orchestrator.sdk.execution.lazy_sequence import LazyXComSequence

        return LazyXComSequence(ti.run_id, operator.dag_id, operator.task_id, key)
    if operator.get_closest_mapped_task_group() is None:
        return _pull(ti, operator, key, None)
    indexes = ti.get_relevant_upstream_map_indexes(operator, None)
    return _pull(ti, operator, key, NOTSET if indexes is None else indexes)


def _pull(ti: Any, operator: Any, key: str, map_indexes: Any) -> Any:
    value = ti.xcom_pull(task_ids=operator.task_id, key=key, default=NOTSET, map_indexes=map_indexes)
    if is_arg_set(value):
        return value
    if key == RETURN_KEY or operator.multiple_outputs:
        return None
    raise XComNotFound(ti.dag_id, operator.task_id, key)
