"""Decides what an attempt gets that differs from try to try: queue and priority, as the parse process planned them."""

from __future__ import annotations

from collections.abc import Iterable

from runs.models import TaskInstance
from runs.scheduler.holdings import OwnedRun


def give_values_of_try(owned: OwnedRun, rows: Iterable[TaskInstance]) -> None:
    """Write the planned values of tries that were just scheduled; without a plan nothing is written.

    Call it in the transaction that scheduled them. After the last planned try its values stay.
    """
    for row in rows:
        task = owned.tasks.get(row.task_id)
        if task is None or not task.by_try:
            continue
        values = task.by_try[min(max(row.try_number, 1), len(task.by_try)) - 1]
        TaskInstance.objects.filter(pk=row.pk).update(queue=values["queue"], priority_weight=values["priority_weight"])
        row.queue, row.priority_weight = values["queue"], values["priority_weight"]
        owned.weights[row.task_id, row.map_index] = values["priority_weight"]
