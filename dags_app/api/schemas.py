"""Decides how DAGs, their versions and import errors look in the REST API."""

from datetime import timedelta
from typing import Any

from django.core import signing

from dags_app.models import Dag
from orchestrator.rest.schemas import Schema
from orchestrator.sdk.serialization.durations import iso_duration

# Timetables by class name: those that start no runs by a rhythm of their own.
_NOT_PERIODIC = frozenset(
    {
        "NullTimetable",
        "OnceTimetable",
        "ContinuousTimetable",
        "AssetTriggeredTimetable",
        "PartitionedAssetTimetable",
        "PartitionedAtRuntime",
    }
)

# Those that give each of their runs a key; with PartitionedAtRuntime the task gives it.
_PARTITIONED = frozenset({"PartitionedAssetTimetable", "CronPartitionTimetable"})


def _timetable_class(dag: Dag) -> str:
    return dag.timetable_type.rpartition(".")[2]


def _is_periodic(dag: Dag) -> bool:
    return bool(dag.timetable_type) and _timetable_class(dag) not in _NOT_PERIODIC


def is_partitioned(dag: Dag) -> bool:
    """Return whether the DAG's own schedule gives each run its partition key."""
    return _timetable_class(dag) in _PARTITIONED


def _file_token(dag: Dag) -> str:
    """Name the file for ``PUT /parseDagFile`` without giving the client a path to choose."""
    return signing.dumps({"bundle_name": dag.bundle_id, "relative_fileloc": dag.relative_fileloc}, salt="dag-file")


def _tags(dag: Dag) -> list[dict[str, str]]:
    shown = dag.dag_display_name or dag.dag_id
    return [{"name": tag.name, "dag_id": dag.dag_id, "dag_display_name": shown} for tag in dag.tags.all()]


DAG = Schema(
    "DAGResponse",
    "dag_id",
    "is_paused",
    "is_stale",
    "last_parsed_time",
    "last_parse_duration",
    "last_expired",
    "bundle_version",
    "relative_fileloc",
    "fileloc",
    "description",
    "timetable_summary",
    "timetable_description",
    "max_active_tasks",
    "max_active_runs",
    "max_consecutive_failed_dag_runs",
    "has_task_concurrency_limits",
    "has_import_errors",
    "next_dagrun_logical_date",
    "next_dagrun_data_interval_start",
    "next_dagrun_data_interval_end",
    dag_display_name=lambda dag: dag.dag_display_name or dag.dag_id,
    bundle_name="bundle_id",
    next_dagrun_run_after="next_dagrun_create_after",
    allowed_run_types=lambda dag: None,
    timetable_partitioned=is_partitioned,
    timetable_periodic=_is_periodic,
    is_backfillable=_is_periodic,
    owners=lambda dag: [owner.strip() for owner in dag.owners.split(",") if owner.strip()],
    tags=_tags,
    file_token=_file_token,
)

VERSION = Schema(
    "DagVersionResponse",
    "id",
    "version_number",
    "dag_id",
    "bundle_name",
    "bundle_version",
    "created_at",
    bundle_url=lambda version: None,
    dag_display_name="shown_dag_name",
)

IMPORT_ERROR = Schema(
    "ImportErrorResponse",
    "timestamp",
    "filename",
    import_error_id="id",
    bundle_name="bundle_id",
    stack_trace="stacktrace",
)


def duration(seconds: float | None) -> str | None:
    """Return a duration as ISO 8601, as Airflow prints a DAG run's timeout."""
    return None if seconds is None else iso_duration(timedelta(seconds=seconds))


def params_of(params: dict[str, Any]) -> dict[str, Any]:
    """Return a DAG's params as Airflow prints them: value, schema, description and where they come from."""
    return {
        name: {
            "value": item.get("value"),
            "schema": item.get("schema") or {},
            "description": item.get("description"),
            "source": item.get("source", "dag"),
        }
        for name, item in params.items()
    }
