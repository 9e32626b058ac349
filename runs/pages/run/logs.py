"""Decides in which order the logs of a run are looked through: tasks that failed first, of a task the newest try first."""

from __future__ import annotations

from typing import Any

from runs.models import AttemptFields, DagRun, TaskInstance, TaskInstanceHistory
from runs.pages.worst import rank_of_row

# So many tries of a run are looked at; a larger run is searched task by task.
MOST_LOGS = 5000
_NEEDED = ("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "try_number", "rendered_map_index")


def logs_of(run: DagRun) -> list[AttemptFields]:
    """Return the tries that may have a log, by two queries; the first ``MOST_LOGS`` of them."""
    present: Any = TaskInstance.objects.filter(dag_run=run, try_number__gt=0).only(*_NEEDED)
    past: Any = TaskInstanceHistory.objects.filter(dag_run=run, try_number__gt=0).only(*_NEEDED)
    tries: dict[tuple[str, int], dict[int, AttemptFields]] = {}
    for row in present.order_by(rank_of_row(), "task_id", "map_index")[:MOST_LOGS]:
        tries[row.task_id, row.map_index] = {row.try_number: row}
    for row in past.order_by("-try_number", "-pk")[:MOST_LOGS]:
        # A task that waits for its next try still has the number of the last one.
        tries.get((row.task_id, row.map_index), {}).setdefault(row.try_number, row)
    return [row for of_task in tries.values() for _, row in sorted(of_task.items(), reverse=True)][:MOST_LOGS]
