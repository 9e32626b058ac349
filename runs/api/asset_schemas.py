"""Decides how assets, their events and kept values look in the REST API."""

import json
from typing import Any

from orchestrator.rest.schemas import Schema
from orchestrator.sdk.execution.masking import redact

ALIAS = Schema("AssetAliasResponse", "id", "name", "group")
_SCHEDULE = Schema("DagScheduleAssetReference", "dag_id", "created_at", "updated_at")
_TASK = Schema("TaskOutletAssetReference", "dag_id", "task_id", "created_at", "updated_at")


def _shown_extra(row: Any) -> Any:
    """Return ``extra`` as people may see it: what stands under a secret-looking name is hidden, as in Airflow."""
    return redact(row.extra)


def _references(schema: Schema, role: str) -> Any:
    return lambda asset: [schema.of(row) for row in asset.shown_references if row.role == role]


ASSET = Schema(
    "AssetResponse",
    "id",
    "name",
    "uri",
    "group",
    "created_at",
    "updated_at",
    aliases=lambda asset: [ALIAS.of(alias) for alias in asset.aliases.all()],
    scheduled_dags=_references(_SCHEDULE, "schedule"),
    producing_tasks=_references(_TASK, "outlet"),
    consuming_tasks=_references(_TASK, "inlet"),
    extra=_shown_extra,
    last_asset_event=lambda asset: {"id": asset.last_event_id, "timestamp": asset.last_event_at},
    watchers="shown_watchers",
)

EVENT = Schema(
    "AssetEventResponse",
    "id",
    "asset_id",
    "source_dag_id",
    "source_task_id",
    "source_run_id",
    "source_map_index",
    "partition_key",
    "timestamp",
    name="asset.name",
    uri="asset.uri",
    group="asset.group",
    extra=_shown_extra,
    created_dagruns="shown_runs",
)

CREATED_RUN = Schema(
    "DagRunAssetReference",
    "dag_id",
    "run_id",
    "logical_date",
    "end_date",
    "state",
    "data_interval_start",
    "data_interval_end",
    "partition_key",
    # The contract promises an instant; a run that has not begun yet shows since when it waits.
    start_date=lambda run: run.start_date or run.queued_at or run.run_after,
)


def _value(row: Any) -> Any:
    return json.loads(row.value)


TASK_VALUE = Schema("TaskStateStoreResponse", "key", "updated_at", "expires_at", value=_value)
ASSET_VALUE = Schema(
    "AssetStateStoreResponse", "key", "updated_at", value=_value, last_updated_by=lambda row: _writer(row.writer)
)


def _writer(writer: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("kind", "dag_id", "run_id", "task_id", "map_index")
    return {name: writer.get(name) for name in names} if writer else None
