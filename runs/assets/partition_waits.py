"""Decides which partition of which consumer an event counts for, and keeps what has arrived for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.services import audit_write
from dags_app.models import Asset, Dag
from dags_app.selectors import spec_of
from orchestrator.database import for_update
from orchestrator.sdk.definitions.partitions.codec import needs_plugin
from runs.assets.consumers import PARTITIONED
from runs.assets.deliveries import NO_KEY, UNCOUNTED, WAITING, refuse
from runs.assets.partition_mapping import Mapped, mapped
from runs.assets.partitioned import fingerprint, mapper_for
from runs.models import AssetDelivery, AssetEvent, PartitionArrival, PartitionWait

if TYPE_CHECKING:
    from runs.assets.events import NewEvent

log = logging.getLogger(__name__)

Json = Any


def arrive(new: Sequence[NewEvent], rows: Sequence[AssetEvent], consumers: Sequence[Sequence[Dag]], *, now: datetime) -> None:
    """Note events with the partitions that they count for. A paused consumer counts nothing, as in Airflow.

    Where the mapper is a plugin's, a delivery waits until the scheduler has asked it: no author's code runs here (ADR 0011).
    """
    for item, row, dags in zip(new, rows, consumers, strict=True):
        for dag in dags:
            if not dag.timetable_type.endswith(PARTITIONED):
                continue
            if dag.is_paused:
                refuse(row, dag, UNCOUNTED)
            elif row.partition_key is None:
                refuse(row, dag, NO_KEY)
                _note("missing partition key", dag, row, "the schedule of the DAG counts partitions, and the event has none")
            elif dag.latest_version_id is not None:
                _count_or_ask(dag, row, item.partition_date, now)


def _count_or_ask(dag: Dag, row: AssetEvent, date: datetime | None, now: datetime) -> None:
    mapper = mapper_of(dag, row.asset)
    if needs_plugin(mapper):
        AssetDelivery.objects.create(event=row, dag=dag, asset_id=row.asset_id, created_at=now)
    else:
        _count(dag, row, mapped(mapper, row.partition_key or "", date), now)


def mapper_of(dag: Dag, asset: Asset) -> Json:
    """Return the stored mapper of an asset in the newest version of a DAG."""
    return mapper_for(spec_of(dag.latest_version_id).timetable, name=asset.name, uri=asset.uri)  # type: ignore[arg-type]


def count_asked(delivery_id: int, version_id: Any, found: Mapped, *, now: datetime) -> bool:
    """Count an event for what a plugin's mapper has said; False where somebody was faster, or the DAG has another version.

    Runs in the caller's transaction.
    """
    rows = AssetDelivery.objects.filter(WAITING, pk=delivery_id, dag__latest_version=version_id)
    delivery = rows.select_for_update(of=("self",), skip_locked=True).select_related("dag", "event__asset").first()
    if delivery is None:
        return False
    dag, row = delivery.dag, delivery.event
    delivery.delete()
    _count(dag, row, found, now)
    return True


def _count(dag: Dag, row: AssetEvent, found: Mapped, now: datetime) -> None:
    if found.refusal:
        refuse(row, dag, found.refusal)
        _note(found.event, dag, row, found.why)
    rules = fingerprint(spec_of(dag.latest_version_id).timetable)  # type: ignore[arg-type]
    for key in found.keys:
        wait = _open_wait(dag, key, rules, found.date, now)
        PartitionArrival.objects.create(
            wait=wait, event=row, asset=row.asset, source_partition_key=row.partition_key or "", created_at=now
        )


def _note(event: str, dag: Dag, row: AssetEvent, why: str) -> None:
    facts = {"partition_key": row.partition_key, "asset": row.asset.name, "uri": row.asset.uri, "reason": why}
    log.warning("%s: DAG %s, asset %s, key %r: %s", event, dag.dag_id, row.asset.name, row.partition_key, why)
    audit_write(event, actor=None, extra=facts, dag_id=dag.dag_id, task_id=row.source_task_id, run_id=row.source_run_id)


def _open_wait(dag: Dag, key: str, rules: str, date: datetime | None, now: datetime) -> PartitionWait:
    """Return the locked wait for a partition that no run has taken yet; a run in the making finishes first."""
    while True:
        found = for_update(PartitionWait.objects.filter(dag=dag, partition_key=key, dag_run=None)).first()
        if found is not None:
            found.partition_date = _agreed(found, date)
            found.save(update_fields=["partition_date", "updated_at"])
            return found
        try:
            with transaction.atomic():
                return PartitionWait.objects.create(dag=dag, partition_key=key, created_at=now, rules=rules, partition_date=date)
        except IntegrityError:
            continue  # another event has opened it this moment


def _agreed(wait: PartitionWait, date: datetime | None) -> datetime | None:
    """Two events that carry different dates leave none: either would be a guess."""
    if date is None or wait.partition_date is None:
        return wait.partition_date or date
    return date if date == wait.partition_date else None
