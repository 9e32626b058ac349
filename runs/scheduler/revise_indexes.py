"""Decides whether a mapped task that runs again has other indexes than before, because what it is mapped over changed."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from orchestrator.kernel.ids import new_id
from runs import transitions
from runs.expansion import map_length
from runs.metrics.created import count_created
from runs.run_nodes import InstanceState, Key
from runs.scheduler.clone_rows import create_indexes
from runs.scheduler.expand_task import new_values, xcom_length
from runs.scheduler.holdings import OwnedRun
from runs.states import TaskInstanceState


def revise_indexes(owned: OwnedRun, keys: list[Key], *, now: datetime) -> list[Key]:
    """Return which of ``keys``, about to run, still have a place; add missing indexes and give up those that are too many.

    Each task is looked at once for each time the run was read: a clear makes it be read again.
    """
    tasks = {task_id for task_id, index in keys if index >= 0} - owned.sized
    lengths = {task_id: map_length(owned.spec, owned.tasks[task_id], partial(xcom_length, owned)) for task_id in tasks}
    owned.sized |= tasks
    known = {task_id: length for task_id, length in lengths.items() if length is not None}
    if not known:
        return keys
    there: dict[str, set[int]] = {task_id: set() for task_id in known}
    for task_id, index in owned.graph:
        if task_id in there:
            there[task_id].add(index)
    for task_id, length in known.items():
        _add(owned, task_id, sorted(set(range(length)) - there[task_id]), now=now)
    surplus = [(task_id, index) for task_id, length in known.items() for index in there[task_id] if index >= length]
    gone = _give_up(owned, surplus, now=now)
    return [key for key in keys if key not in gone]


def _add(owned: OwnedRun, task_id: str, indexes: list[int], *, now: datetime) -> None:
    if not indexes:
        return
    ids = {index: new_id() for index in indexes}
    create_indexes(ids, new_values(owned, task_id, now))
    count_created(owned.dag_id, owned.run_type, [owned.tasks[task_id].task_type] * len(ids))
    owned.ids |= {(task_id, index): ti_id for index, ti_id in ids.items()}
    owned.graph.add_instances([InstanceState(task_id, index) for index in indexes])
    owned.branch_news |= task_id in owned.below_branches


def _give_up(owned: OwnedRun, surplus: list[Key], *, now: datetime) -> set[Key]:
    if not surplus:
        return set()
    with transaction.atomic():
        ended = transitions.decide_without_running([owned.ids[key] for key in surplus], TaskInstanceState.REMOVED, now=now)
    gone = {(row.task_id, row.map_index) for row in ended}
    owned.graph.apply((key, TaskInstanceState.REMOVED) for key in gone)
    return gone
