"""Decides what the REST API shows of a task instance between two tries: the attempt that ended."""

from collections.abc import Sequence
from uuid import UUID

from runs.models import TaskInstance, TaskInstanceHistory
from runs.states import TaskInstanceState

_SHOWN = ("start_date", "end_date", "duration", "hostname", "unixname", "pid", "queued_dttm", "scheduled_dttm")


def show_ended_attempts(rows: Sequence[TaskInstance]) -> dict[UUID, UUID]:
    """Give rows in ``up_for_retry`` the times and the process of the try that ended; nothing is written.

    Returns the id that the ended attempt had, by the row's id now. One query, and none where no row waits for a retry.
    """
    waiting = {_attempt(row): row for row in rows if row.state == TaskInstanceState.UP_FOR_RETRY}
    if not waiting:
        return {}
    asked = TaskInstanceHistory.objects.filter(
        dag_run_id__in={row.dag_run_id for row in waiting.values()},
        task_id__in={row.task_id for row in waiting.values()},
        try_number__in={row.try_number for row in waiting.values()},
    ).only("dag_run_id", "task_id", "map_index", "try_number", *_SHOWN)
    ended = {}
    for past in asked.order_by("pk"):
        row = waiting.get(_attempt(past))
        if row is not None:
            ended[row.pk] = past.pk
            for name in _SHOWN:
                setattr(row, name, getattr(past, name))
    return ended


def _attempt(row: TaskInstance | TaskInstanceHistory) -> tuple[object, ...]:
    return row.dag_run_id, row.task_id, row.map_index, row.try_number
