"""Decides which logs of a run are looked through: tasks that failed come first, as they were when the search began."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, IntegerField, Value, When

from runs.models import DagRun, TaskInstance, TaskInstanceHistory
from runs.pages.log_places import MOST_FIRST, First, Logs, first_of, in_order
from runs.pages.log_tries import all_tries
from runs.pages.worst import rank_of_row

# So many tries of a run are looked at; a larger run is searched task by task.
MOST_LOGS = 5000
_FAILED = ("failed", "up_for_retry")
_NEEDED = ("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "try_number", "rendered_map_index")


def logs_of(run: DagRun, place: str = "") -> Logs:
    """Return the tries that may have a log, ``MOST_LOGS`` at most, by two queries, and one more where a search begins.

    Args:
        place: where the search goes on; the order is the one in which it began.
    """
    first = first_of(place)
    first = _failed(run) if first is None else first
    past: Any = TaskInstanceHistory.objects.filter(dag_run=run, try_number__gt=0).only(*_NEEDED)
    rows = all_tries(_present(run, first), past.order_by("-try_number", "-pk")[:MOST_LOGS])
    ranks = {(row.task_id, row.map_index): first.index(row.pk) for row in rows if row.pk in first}
    logs = in_order(rows, lambda row: (ranks.get((row.task_id, row.map_index), len(first)),))
    return Logs(logs.rows[:MOST_LOGS], logs.keys[:MOST_LOGS], first)


def _failed(run: DagRun) -> First:
    rows = TaskInstance.objects.filter(dag_run=run, try_number__gt=0, state__in=_FAILED)
    return tuple(rows.order_by(rank_of_row(), "task_id", "map_index").values_list("pk", flat=True)[:MOST_FIRST])


def _present(run: DagRun, first: First) -> Any:
    rows: Any = TaskInstance.objects.filter(dag_run=run, try_number__gt=0).only(*_NEEDED)
    rank = Case(When(pk__in=first, then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.order_by(*([rank] if first else []), "task_id", "map_index")[:MOST_LOGS]
