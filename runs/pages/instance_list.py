"""Decides what the list of task instances shows: the columns, and the filters and orders of the REST list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from orchestrator.rest.params import equal, one_of, params
from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.api.queries import attach_to_tries
from runs.api.task_instances import LIST, ORDER
from runs.models import TaskInstance
from runs.narrowing import by_dag, by_run
from runs.pages.rows import elapsed
from runs.states import TaskInstanceState

# Nothing else of a row is read: there are millions, and their other columns may be long.
_SEEN = (
    *("id", "dag_id", "run_id", "task_id", "map_index", "rendered_map_index", "state", "try_number", "max_tries", "dag_run_id"),
    *("start_date", "end_date", "duration", "operator", "custom_operator_name", "task_display_name", "pool", "queue", "executor"),
    *("hostname", "dag_version_id", "note", "updated_at"),
    *(f"dag_run__{name}" for name in ("id", "dag_id", "run_id", "run_type", "logical_date", "run_after")),
    *("dag_run__data_interval_start", "dag_run__data_interval_end"),
)


def instances_shown() -> QuerySet[TaskInstance]:
    """Return task instances with their runs, as far as the list shows them."""
    return TaskInstance.objects.select_related("dag_run").only(*_SEEN)


def attach(rows: Sequence[Any]) -> None:
    """Load names and versions for a page of task instances; what runs has lasted until now."""
    attach_to_tries(rows)
    for row in rows:
        row.seconds = row.duration if row.end_date is not None or row.duration else elapsed(row.start_date, row.end_date)
        row.version_text = str(row.shown_version.version_number) if row.shown_version else ""
        row.operator_text = row.custom_operator_name or row.operator
        row.index_text = "" if row.map_index < 0 else row.rendered_map_index or str(row.map_index)


# Of the REST list's filters: what is looked up here, so that no list of millions is gone through; a group needs its DAG.
_OTHERWISE = ("task_group_id", "dag_id_", "run_id_")
_STATES = (*((word.value, word.value.replace("_", " ")) for word in TaskInstanceState), ("none", "no state"))
INSTANCES = ListSpec(
    name="task_instances",
    params=params(
        *(item for item in LIST.items if not item.name.startswith(_OTHERWISE)),
        *(by_dag("dag_id", "dag_id"), by_run(), equal("dag_id", "dag_id")),
        *(one_of("dag_ids", "dag_id"), one_of("dag_run_ids", "run_id"), one_of("task_ids", "task_id")),
    ),
    order=ORDER,
    columns=(
        Column("state", "State", "state", is_costly=True),
        Column("dag", "DAG", text=lambda row: row.dag_id),
        Column("run", "Run", "run_after", text=lambda row: row.run_id),
        Column("task_id", "Task"),
        Column("map_index", "Index", "map_index", hidden=True, text=lambda row: row.index_text),
        Column("try_number", "Try", "try_number", number=True, is_costly=True),
        Column("start_date", "Start", "start_date"),
        Column("end_date", "End", "end_date", hidden=True, is_costly=True),
        Column("duration", "Duration", "duration", number=True, is_costly=True, text=lambda row: row.seconds),
        Column("operator", "Operator", "operator", is_costly=True, text=lambda row: row.operator_text),
        Column("pool", "Pool", hidden=True),
        Column("queue", "Queue", hidden=True),
        Column("executor", "Executor", hidden=True),
        Column("hostname", "Host", hidden=True),
        Column("version", "Version", hidden=True, text=lambda row: row.version_text),
        Column("note", "Note"),
    ),
    filters=(
        Filter("dag_id_pattern", "DAG id", "search"),
        Filter(
            "state",
            "State",
            "choices",
            (*((word.value, word.value.replace("_", " ")) for word in TaskInstanceState), ("none", "no state")),
        ),
        Filter("run_after", "Run after", "dates"),
        Filter("start_date", "Start", "dates"),
        Filter("end_date", "End", "dates"),
        Filter("logical_date", "Logical date", "dates"),
        Filter("duration", "Duration", "durations"),
        Filter("task_id", "Task id", hint="exactly"),
        Filter("task_display_name_pattern", "Task name"),
        Filter("run_id_pattern", "Run id"),
        Filter("operator_name_pattern", "Operator"),
        Filter("pool_name_pattern", "Pool"),
        Filter("queue_name_pattern", "Queue"),
        Filter("executor", "Executor"),
        Filter("try_number", "Try", "number"),
        Filter("map_index", "Map index", "number"),
        Filter("rendered_map_index_pattern", "Index label"),
        Filter("version_number", "DAG version", "number"),
    ),
    default_order=("-start_date",),
    keyset=True,
    noun="task instance",
    quick_states=("failed", "running", "up_for_retry", "queued", "deferred"),
)
