"""Decides how the tries of a task instance are found: the current one and the archived ones."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from runs.models import AttemptFields, TaskInstance, TaskInstanceHistory

Rows = QuerySet[TaskInstance]


def tries_of(
    dag_id: str, run_id: str, task_id: str, map_index: int, bringing: Callable[[Rows], Rows] = lambda rows: rows
) -> list[AttemptFields]:
    """Return all tries with their versions, oldest first, in two queries; empty where there is no such task instance.

    ``bringing``: what the query for the current one brings besides.
    """
    chosen = {"dag_run__dag_id": dag_id, "dag_run__run_id": run_id, "task_id": task_id, "map_index": map_index}
    current = _with_version(bringing(TaskInstance.objects.select_related("dag_run").filter(**chosen))).first()
    if current is None:
        return []
    earlier = TaskInstanceHistory.objects.filter(dag_run_id=current.dag_run_id, task_id=task_id, map_index=map_index)
    return [*_with_version(earlier.order_by("try_number", "id")), current]


def _with_version(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Join the version of the DAG, without its document, which may be megabytes."""
    return rows.select_related("dag_version").defer("dag_version__document")


def try_of(dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int) -> AttemptFields | None:
    """Return one try, the newest of that number; None where there is none."""
    found = [row for row in tries_of(dag_id, run_id, task_id, map_index) if row.try_number == try_number]
    return found[-1] if found else None
