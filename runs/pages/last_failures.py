"""Decides what is said of task instances that wait for their next try: why the last one failed, which is kept with that try."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Substr

from runs.models import TaskInstance, TaskInstanceHistory
from runs.states import TaskInstanceState

SHOWN_DETAIL = 240
Place = tuple[str, int]


def last_failures(run_pk: int, tries: dict[Place, int]) -> dict[Place, tuple[str, str]]:
    """Return cause and detail of the last try, by task and index; one query, none where nothing waits.

    Args:
        run_pk: the key of the run.
        tries: the number of the last try, by task and index.
    """
    if not tries:
        return {}
    numbers = {"try_number__in": set(tries.values()), "map_index__in": {index for _, index in tries}}
    rows: Any = TaskInstanceHistory.objects.filter(dag_run_id=run_pk, task_id__in={task for task, _ in tries}, **numbers)
    said = rows.order_by("pk").values_list("task_id", "map_index", "try_number", "cause", Substr("cause_detail", 1, SHOWN_DETAIL))
    found = ((task, index, cause, detail) for task, index, number, cause, detail in said if tries.get((task, index)) == number)
    return {(task, index): (cause or "", detail or "") for task, index, cause, detail in found}


def show_last_failures(rows: Iterable[TaskInstance]) -> None:
    """Give those rows of a run that wait for their next try the cause of the last one; nothing is written."""
    waiting = {(row.task_id, row.map_index): row for row in rows if row.state == TaskInstanceState.UP_FOR_RETRY}
    if not waiting:
        return
    run_pk = next(iter(waiting.values())).dag_run_id
    for place, (cause, detail) in last_failures(run_pk, {place: row.try_number for place, row in waiting.items()}).items():
        waiting[place].cause, waiting[place].cause_detail = cause, detail
