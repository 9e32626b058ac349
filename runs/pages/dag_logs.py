"""Decides which logs of the runs of a DAG are looked through at once: of those due in a window of time, the newest run first.

They may be very many, so they are read from a place on, and never more than some; what is behind them is the next place. The
database cuts them where Python would: task ids are in the order of their letters' numbers, whatever the language of the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Collate

from orchestrator.database import is_postgresql
from runs.models import AttemptFields, DagRun, TaskInstance, TaskInstanceHistory
from runs.pages.due_window import DueWindow
from runs.pages.log_places import Key, Logs, Rank, in_order, place_of, read_place
from runs.pages.log_tries import all_tries

MOST_LOGS = 5000
_OF_TRY = ("id", "dag_run_id", "dag_id", "run_id", "task_id", "map_index", "try_number", "rendered_map_index")
_NEEDED = (*_OF_TRY, *(f"dag_run__{name}" for name in ("id", "run_id", "run_type", "run_after", "logical_date")))
_ORDER = ("-dag_run__run_after", "-dag_run_id", "task_key", "map_index")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GREATEST_KEY, _GREATEST_INDEX, _GREATEST_TRY = 2**63 - 1, 2**31 - 1, 2**31
# A task in a run: what is read as a whole, with all its tries.
Group = tuple[Rank, str, int]


def logs_in(dag_id: str, window: DueWindow, task_id: str = "", place: str = "") -> Logs:
    """Return the tries that may have a log, by two queries.

    Args:
        task_id: only of this task, where it is not empty.
        place: where the search goes on; what makes no sense is the newest run.
    """
    asked = Q(dag_run__dag_id=dag_id, dag_run__run_after__range=(window.start, window.end), try_number__gt=0)
    if task_id:
        asked &= Q(dag_id=dag_id, task_id=task_id)  # an index leads to the few rows of a task
    asked &= _from(place)
    present = _rows(TaskInstance, asked, *_ORDER)
    past = _rows(TaskInstanceHistory, asked, *_ORDER, "-try_number", "-pk")
    end = _end(present, past)
    logs = in_order((row for row in all_tries(present, past) if end is None or _group(row) < end), _rank)
    return logs if end is None else Logs(logs.rows, logs.keys, rest=place_of(_newest(end)))


def has_runs(dag_id: str, window: DueWindow) -> bool:
    """Return whether a run was due in the window."""
    return DagRun.objects.filter(dag_id=dag_id, run_after__range=(window.start, window.end)).exists()


def _rows(model: Any, asked: Q, *order: str) -> Sequence[AttemptFields]:
    task_key = Collate("task_id", "C") if is_postgresql() else F("task_id")
    rows = model.objects.alias(task_key=task_key).filter(asked).select_related("dag_run").only(*_NEEDED)
    return list(rows.order_by(*order)[: MOST_LOGS + 1])


def _end(present: Sequence[AttemptFields], past: Sequence[AttemptFields]) -> Group | None:
    """Return the first task of which not all may have been read; None where nothing is left, and never the very first one."""
    cuts = [_group(rows[-1]) for rows in (present, past) if len(rows) > MOST_LOGS]
    if not cuts or not present:
        return None
    rank, task_id, map_index = min(_group(rows[0]) for rows in (present, past) if rows)
    return max(min(cuts), (rank, task_id, map_index + 1))


def _group(row: AttemptFields) -> Group:
    return _rank(row), row.task_id, row.map_index


def _rank(row: AttemptFields) -> Rank:
    """A run by its time, and by its key where several are of the same; the newest is the least."""
    return -((row.dag_run.run_after - _EPOCH) // timedelta(microseconds=1)), -row.dag_run_id


def _newest(group: Group) -> Key:
    return *group, -_GREATEST_TRY


def _from(place: str) -> Q:
    """What is not before a place in the order."""
    try:
        _, ((time, number), task_id, map_index, _), _ = read_place(place)
        at, run = _EPOCH + timedelta(microseconds=-time), -number
    except (ValueError, OverflowError):
        return Q()
    if not 0 < run <= _GREATEST_KEY:
        return Q()
    index = max(-1, min(map_index, _GREATEST_INDEX))
    later = Q(task_key__gt=task_id) | Q(task_key=task_id, map_index__gte=index)
    inside = Q(dag_run_id=run) & later
    older = Q(dag_run__run_after__lt=at) | Q(dag_run__run_after=at, dag_run_id__lt=run)
    return Q(dag_run__run_after__lte=at) & (older | inside)
