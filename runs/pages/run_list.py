"""Decides what the lists of runs show: the columns, and the filters and orders of the REST list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from accounts.services import masked
from dags_app.models import Dag
from orchestrator.rest.params import equal, params
from orchestrator.ui.lists import Column, Filter, ListSpec
from runs.api.dag_runs import LIST, ORDER
from runs.api.queries import attach_to_runs
from runs.models import DagRun
from runs.pages.rows import elapsed
from runs.run_filters import RUN_TYPES, of_partition_days, with_duration
from runs.states import DagRunState

LONGEST_CONF = 80
_UNSEEN = ("wait_detail", "scheduling_error", "stopped_by", "note_user", "scheduler_id")


def runs_shown() -> QuerySet[DagRun]:
    """Return runs with what the lists order and filter by."""
    return with_duration(DagRun.objects.defer(*_UNSEEN))


def attach(rows: Sequence[Any]) -> None:
    """Load names and versions for a page of runs; what runs has lasted until now."""
    attach_to_runs(rows)
    for run in rows:
        run.seconds = elapsed(run.start_date, run.end_date)
        run.conf_text = json.dumps(masked(run.conf), ensure_ascii=False, default=str) if run.conf else ""
        run.version_text = ", ".join(str(version.version_number) for version in run.shown_versions)


def of_days(dag: Dag) -> ListSpec:
    """Return the list of one DAG: its name is known, and days of partitions can be asked for."""

    def also(rows: QuerySet[Any], values: Mapping[str, Any]) -> QuerySet[Any]:
        return of_partition_days(rows, dag, values.get("partition_date_gte"), values.get("partition_date_lte"))

    columns = tuple(column for column in RUNS.columns if column.name != "dag")
    filters = (Filter("run_id_pattern", "Run id", "search"), *(item for item in RUNS.filters if item.name not in _OF_ALL))
    return replace(RUNS, name="dag_runs", columns=columns, filters=filters, also=also)


def _also(rows: QuerySet[Any], values: Mapping[str, Any]) -> QuerySet[Any]:
    return of_partition_days(rows, None, values.get("partition_date_gte"), values.get("partition_date_lte"))


_OF_ALL = frozenset({"dag_id_pattern", "run_id_pattern"})
RUNS = ListSpec(
    name="runs",
    params=params(*LIST.items, equal("dag_id", "dag_id")),
    order=ORDER,
    columns=(
        Column("state", "State"),
        Column("dag", "DAG", "dag_id", text=lambda run: run.dag_id),
        Column("run_id", "Run", "run_after"),
        Column("run_type", "Type", hidden=True),
        Column("run_after", "Run after"),
        Column("logical_date", "Logical date", "logical_date", hidden=True),
        Column("start_date", "Start", "start_date"),
        Column("end_date", "End", "end_date", hidden=True),
        Column("duration", "Duration", "duration", number=True, text=lambda run: run.seconds),
        Column("triggered_by", "Triggered by", text=lambda run: run.triggering_user_name or run.triggered_by),
        Column("version", "Version", text=lambda run: run.version_text),
        Column("bundle_version", "Bundle version", hidden=True),
        Column("partition_key", "Partition", hidden=True),
        Column("conf", "Conf", text=lambda run: run.conf_text),
        Column("note", "Note"),
    ),
    filters=(
        Filter("dag_id_pattern", "DAG id", "search"),
        Filter("state", "State", "choices", tuple((word.value, word.value) for word in DagRunState)),
        Filter("run_type", "Type", "choices", tuple((word, word.replace("_", " ")) for word in RUN_TYPES)),
        Filter("run_after", "Run after", "dates"),
        Filter("start_date", "Start", "dates"),
        Filter("end_date", "End", "dates"),
        Filter("logical_date", "Logical date", "dates"),
        Filter("duration", "Duration", "durations"),
        Filter("run_id_pattern", "Run id", hint="part of it, % is any text"),
        Filter("triggering_user_name_pattern", "User"),
        Filter("conf_contains", "Conf contains"),
        Filter("dag_version", "DAG version", "number"),
        Filter("bundle_version", "Bundle version"),
        Filter("partition_key_pattern", "Partition key"),
        Filter("consuming_asset_pattern", "Consumed asset"),
    ),
    default_order=("-run_after",),
    keyset=True,
    noun="run",
    quick_states=("failed", "running", "queued"),
    also=_also,
)
