"""Decides what people and programs do with assets by hand: make an event, start the DAG that writes one, empty queues.

Functions open no transaction: the interface that calls them does, around one call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Min, Q, QuerySet

from accounts.services import audit_write
from dags_app.api.queries import shown_names
from dags_app.models import Asset, AssetReference, Dag
from orchestrator.kernel.clock import utcnow
from runs.assets.deliveries import DELETED, WAITING
from runs.assets.events import NewEvent, events_add
from runs.models import AssetDelivery, AssetEvent, DagRun
from runs.services import run_trigger
from runs.states import DagRunType

Json = Any


class NoWriterError(LookupError):
    """No DAG writes the asset."""


class SeveralWritersError(LookupError):
    """More than one DAG writes the asset, so that none is meant."""


def writer_of(asset_id: int) -> Dag:
    """Return the DAG that writes an asset. Raises ``NoWriterError`` and ``SeveralWritersError`` with Airflow's texts."""
    written = Q(asset_references__asset=asset_id, asset_references__role=AssetReference.Role.OUTLET)
    found = list(Dag.objects.filter(written).distinct().order_by("dag_id")[:2])
    if not found:
        raise NoWriterError(f"No Dag materializes asset with ID: {asset_id}")
    if len(found) > 1:
        raise SeveralWritersError(f"More than one Dag materializes asset with ID: {asset_id}")
    return found[0]


def materialize(asset_id: int, dag: Dag, *, actor: str, noted: Json, **asked: Any) -> DagRun:
    """Start a run of the DAG that writes an asset; ``asked`` and what is raised are those of ``run_trigger``."""
    run = run_trigger(dag=dag, run_type=DagRunType.ASSET_MATERIALIZATION, user_name=actor, **asked)
    ids = {"dag_id": dag.dag_id, "run_id": run.run_id}
    audit_write("materialize_asset", actor=actor, extra={**noted, "asset_id": asset_id}, **ids)
    return run


def event_make(asset: Asset, *, extra: Json, partition_key: str | None, actor: str, noted: Json) -> AssetEvent:
    """Write an event that no task has made."""
    (event,) = events_add([NewEvent(asset, extra, partition_key=partition_key)], now=utcnow())
    audit_write("create_asset_event", actor=actor, extra=noted)
    return event


def queued(before: datetime | None = None, **chosen: Any) -> QuerySet[AssetDelivery]:
    """Return what waits; ``chosen``: ``dag_id``, ``asset_id``, or both."""
    rows = AssetDelivery.objects.filter(WAITING, **chosen)
    return rows.filter(created_at__lt=before) if before else rows


def queue_entries(rows: QuerySet[AssetDelivery]) -> list[dict[str, Any]]:
    """Return one entry per DAG and asset, since when it waits; two queries."""
    grouped = rows.order_by().values("dag_id", "asset_id").annotate(created_at=Min("created_at"))
    found = list(grouped.order_by("dag_id", "asset_id"))
    names = shown_names(row["dag_id"] for row in found)
    return [{**row, "dag_display_name": names[row["dag_id"]]} for row in found]


def queue_empty(rows: QuerySet[AssetDelivery], *, actor: str, noted: Json, **ids: str) -> int:
    """Take events out of the queues; returns how many. Nothing is noted where nothing waits."""
    number = rows.update(dropped_reason=DELETED)
    if number:
        audit_write("delete_queued_events", actor=actor, extra=noted, **ids)
    return number
