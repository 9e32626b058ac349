"""Decides how DAG runs, assets and their events look to a worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from dags_app.models import Asset
from orchestrator.kernel.clock import isoformat_z
from runs.assets.consumed import consumed_by
from runs.models import AssetEvent, DagRun
from runs.states import DagRunType


def moment(value: datetime | None) -> str | None:
    """An instant as the API writes it."""
    return None if value is None else isoformat_z(value)


def dag_run_document(run: DagRun, events: Sequence[AssetEvent] = ()) -> dict[str, Any]:
    """The run in the newest API version, with the events that it has consumed."""
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "logical_date": moment(run.logical_date),
        "data_interval_start": moment(run.data_interval_start),
        "data_interval_end": moment(run.data_interval_end),
        "run_after": moment(run.run_after),
        "start_date": moment(run.start_date),
        "end_date": moment(run.end_date),
        "clear_number": run.clear_number,
        "run_type": run.run_type,
        "state": run.state,
        "conf": run.conf,
        "triggering_user_name": run.triggering_user_name,
        "consumed_asset_events": [_consumed_document(event) for event in events],
        "partition_key": run.partition_key,
        "partition_date": moment(run.partition_date),
        "note": run.note,
        "team_name": None,
    }


def run_documents(runs: Iterable[DagRun]) -> dict[int, dict[str, Any]]:
    """Documents of many runs by primary key; events cost queries only where assets have triggered one of them."""
    found = list(runs)
    triggered = [run.pk for run in found if run.run_type == DagRunType.ASSET_TRIGGERED]
    events = consumed_by(triggered) if triggered else {}
    return {run.pk: dag_run_document(run, events.get(run.pk, ())) for run in found}


def asset_document(asset: Asset) -> dict[str, Any]:
    """An asset."""
    return {"name": asset.name, "uri": asset.uri, "group": asset.group, "extra": asset.extra}


def asset_event_document(event: AssetEvent, created: Sequence[DagRun]) -> dict[str, Any]:
    """An event of an asset in the newest API version, with the runs that took it."""
    return {
        "id": event.pk,
        "timestamp": moment(event.timestamp),
        "asset": asset_document(event.asset),
        "created_dagruns": [_created_document(run, event) for run in created],
        **_event_facts(event),
    }


def _consumed_document(event: AssetEvent) -> dict[str, Any]:
    asset = event.asset
    return {
        "asset": {"name": asset.name, "uri": asset.uri, "extra": asset.extra},
        "source_aliases": [{"name": alias.name} for alias in event.aliases.all()],
        "timestamp": moment(event.timestamp),
        **_event_facts(event),
    }


def _event_facts(event: AssetEvent) -> dict[str, Any]:
    names = ("extra", "source_task_id", "source_dag_id", "source_run_id", "source_map_index", "partition_key")
    return {name: getattr(event, name) for name in names}


def _created_document(run: DagRun, event: AssetEvent) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "dag_id": run.dag_id,
        "logical_date": moment(run.logical_date),
        # The API cannot say here that a run has not begun yet.
        "start_date": moment(run.start_date or event.timestamp),
        "end_date": moment(run.end_date),
        "state": run.state,
        "data_interval_start": moment(run.data_interval_start),
        "data_interval_end": moment(run.data_interval_end),
        "partition_key": run.partition_key,
    }
