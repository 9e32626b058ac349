"""Decides which tasks are left when a DAG is cut down to a few tasks and their neighbours."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.dag import DAG


def subset(
    dag: DAG, task_ids: str | Iterable[str], downstream: bool, upstream: bool, direct_upstream: bool, depth: int | None
) -> DAG:
    """Return a copy of the DAG with the tasks that match (an expression, or ids) and the neighbours asked for."""
    if isinstance(task_ids, str | re.Pattern):
        matched = {task_id for task_id in dag.task_ids if re.findall(task_ids, task_id)}
    else:
        matched = {task_id for task_id in task_ids if dag.has_task(task_id)}
    kept = set(matched)
    for task_id in matched:
        task = dag.get_task(task_id)
        if downstream:
            kept |= task.get_flat_relative_ids(upstream=False, depth=depth)
        if upstream:
            kept |= task.get_flat_relative_ids(upstream=True, depth=depth)
        elif direct_upstream:
            kept |= set(task.upstream_task_ids)
    return _cut(dag, kept)


def _cut(dag: DAG, kept: set[str]) -> DAG:
    other = copy.deepcopy(dag)
    for task_id in [task_id for task_id in other.task_ids if task_id not in kept]:
        other._remove_task(task_id)
    for task in other.tasks:
        task.upstream_task_ids &= kept
        task.downstream_task_ids &= kept
    return other
