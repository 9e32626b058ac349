"""Decides when the events of a partition make a run: when every asset that the condition needs has enough keys."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime
from typing import Any

from dags_app.models import Asset
from dags_app.plugin_child import NoAnswerError
from dags_app.selectors import spec_of
from orchestrator.sdk.definitions.partitions.codec import needs_plugin
from runs.assets.conditions import is_met
from runs.assets.deliveries import OTHER_MAPPERS
from runs.assets.event_runs import create_run
from runs.assets.mappers import expected_keys, is_complete, partition_date
from runs.assets.naming import names_of
from runs.assets.partitioned import fingerprint, is_partitioned, mapper_for, one_date
from runs.models import AssetDelivery, AssetEvent, DagRun, PartitionArrival, PartitionWait

log = logging.getLogger(__name__)

Json = Any


def run_from_partition(wait_id: int, *, now: datetime) -> DagRun | None:
    """Create the run of a partition with all events that arrived for it; None while it is not complete.

    Runs in the caller's transaction. A wait that was opened under other mappers is dropped: what arrived for it may mean
    something else now.
    """
    open_waits = PartitionWait.objects.filter(pk=wait_id, dag_run=None, dag__is_paused=False, dag__is_stale=False)
    wait = open_waits.select_related("dag").select_for_update(of=("self",), skip_locked=True).first()
    if wait is None or wait.dag.latest_version_id is None:
        return None
    spec = spec_of(wait.dag.latest_version_id)
    if not is_partitioned(spec.timetable) or wait.rules != fingerprint(spec.timetable):
        log.info("the partition %r of DAG %s is dropped: its mappers have changed", wait.partition_key, wait.dag_id)
        _drop(wait)
        return None
    arrived = _arrived(wait)
    ready = {asset for asset, keys in arrived.items() if _is_ready(spec.timetable, wait, asset, keys)}
    if not is_met(spec.asset_condition, {(asset.name, asset.uri) for asset in ready}, names_of(spec.asset_condition)):
        return None
    date = _date(spec.timetable, wait, list(arrived))
    wait.dag_run = create_run(wait.dag, run_after=now, now=now, partition_key=wait.partition_key, partition_date=date)
    wait.save(update_fields=["dag_run", "updated_at"])
    return wait.dag_run


def foresee_partition(wait_id: int) -> None:
    """Ask the mappers of plugins now what ``run_from_partition`` wants to know next, so that no transaction waits for them.

    Raises ``NoAnswerError`` where a plugin is silent; what else fails is found again there.
    """
    wait = PartitionWait.objects.filter(pk=wait_id, dag_run=None).select_related("dag").first()
    if wait is None or wait.dag.latest_version_id is None:
        return
    timetable = spec_of(wait.dag.latest_version_id).timetable
    for asset in _arrived(wait):
        mapper = mapper_for(timetable, name=asset.name, uri=asset.uri)
        for question in (expected_keys, partition_date) if needs_plugin(mapper) else ():
            try:
                question(mapper, wait.partition_key)
            except NoAnswerError:
                raise
            except Exception as error:
                log.debug("the mapper of asset %s in DAG %s fails: %s", asset.name, wait.dag_id, error)


def _drop(wait: PartitionWait) -> None:
    """Delete a wait; its events say what became of them, unless they count for another partition of the same DAG."""
    others = PartitionArrival.objects.filter(wait__dag=wait.dag_id).exclude(wait=wait).values("event")
    rows = AssetEvent.objects.filter(partition_arrivals__wait=wait).exclude(pk__in=others)
    AssetDelivery.objects.bulk_create(
        [
            AssetDelivery(
                event=row, dag_id=wait.dag_id, asset_id=row.asset_id, created_at=row.timestamp, dropped_reason=OTHER_MAPPERS
            )
            for row in rows
        ],
        ignore_conflicts=True,
    )
    wait.delete()


def _arrived(wait: PartitionWait) -> dict[Asset, set[str]]:
    """Return the upstream keys that arrived for each active asset; what nobody declares any more does not count."""
    found: dict[Asset, set[str]] = defaultdict(set)
    for row in PartitionArrival.objects.filter(wait=wait, asset__is_active=True).select_related("asset"):
        found[row.asset].add(row.source_partition_key)
    return found


def _is_ready(timetable: Json, wait: PartitionWait, asset: Asset, keys: set[str]) -> bool:
    try:
        return is_complete(mapper_for(timetable, name=asset.name, uri=asset.uri), wait.partition_key, keys)
    except Exception as error:
        log.error("the mapper of asset %s in DAG %s fails: %s", asset.name, wait.dag_id, error)
        return False


def _date(timetable: Json, wait: PartitionWait, assets: list[Asset]) -> datetime | None:
    mappers = [mapper_for(timetable, name=asset.name, uri=asset.uri) for asset in assets]
    try:
        return one_date(mappers, wait.partition_key, wait.partition_date)
    except Exception as error:
        log.error("the partition %r of DAG %s has no date: %s", wait.partition_key, wait.dag_id, error)
        return None
