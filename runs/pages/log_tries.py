"""Decides which tries of tasks have a log of their own: of those with the same number the newest has the file."""

from __future__ import annotations

from collections.abc import Iterable

from runs.models import AttemptFields


def all_tries(present: Iterable[AttemptFields], past: Iterable[AttemptFields]) -> list[AttemptFields]:
    """Return the present tries and the past ones of the same tasks.

    Args:
        past: of those with the same number the newest first; what belongs to no task of ``present`` is left out.
    """
    tries: dict[tuple[int, str, int], dict[int, AttemptFields]] = {}
    for row in present:
        tries[_task(row)] = {row.try_number: row}
    for row in past:
        # A task that waits for its next try still has the number of the last one.
        tries.get(_task(row), {}).setdefault(row.try_number, row)
    return [row for of_task in tries.values() for row in of_task.values()]


def _task(row: AttemptFields) -> tuple[int, str, int]:
    return row.dag_run_id, row.task_id, row.map_index
