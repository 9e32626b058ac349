"""Decides what waits for a consumer: one row per event and DAG, which exactly one run takes (C23-a)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from dags_app.models import Dag
from orchestrator.database import for_update
from runs.assets.conditions import AssetKey
from runs.assets.consumers import PARTITIONED
from runs.assets.policies import TELLING, EventPolicy, WaitingAsset
from runs.models import AssetDelivery, AssetEvent, DagRun

# An event that came while the consumer was paused starts no run, but the next run tells of it, as in Airflow (see policies.py).
MISSED = "the consumer was paused"
# The same holds for an event of one partition: only consumers by partition start for it.
KEYED = "the event is of one partition"
TOLD_LATER = (MISSED, KEYED)
UNSCHEDULED = "the schedule of the consumer names the asset no more"
SUPERSEDED = "a newer event of the asset came before a run"
# What a consumer by partition makes of an event that counts for none of its partitions.
UNCOUNTED = "the consumer was paused, and counts no partitions meanwhile"
NO_KEY = "the event has no partition key"
NO_PARTITION = "its partition key fits no partition of the consumer"
TOO_MANY = "its partition key fits more partitions than the consumer takes"
OTHER_MAPPERS = "the consumer has other partition mappers since"
DELETED = "taken out of the queue by hand"
WAITING = Q(dag_run=None, dropped_reason="")


def deliver(rows: Sequence[AssetEvent], consumers: Sequence[Sequence[Dag]], *, now: datetime) -> None:
    """Write what each consumer gets of each event; partitioned consumers count keys instead."""
    AssetDelivery.objects.bulk_create(
        [
            AssetDelivery(event=row, dag=dag, asset_id=row.asset_id, created_at=now, dropped_reason=_starts_nothing(row, dag))
            for row, dags in zip(rows, consumers, strict=True)
            for dag in dags
            if not dag.timetable_type.endswith(PARTITIONED)
        ]
    )


def _starts_nothing(row: AssetEvent, dag: Dag) -> str:
    """Return why an event does not wait for a consumer; empty where it waits.

    That a pause loses the start of a run is Airflow's rule for its one policy; under ours an event waits until the pause is over.
    """
    if dag.is_paused and dag.event_policy == EventPolicy.BATCH:
        return MISSED
    return "" if row.partition_key is None else KEYED


def refuse(row: AssetEvent, dag: Dag, reason: str) -> None:
    """Write that an event counts for no partition of a consumer, and why."""
    AssetDelivery.objects.create(event=row, dag=dag, asset_id=row.asset_id, created_at=row.timestamp, dropped_reason=reason)


def waiting_assets(dag: Dag) -> dict[AssetKey, WaitingAsset]:
    """Return the assets whose events wait for a DAG, by name and URI."""
    rows = AssetDelivery.objects.filter(WAITING, dag=dag).order_by().values_list("asset__name", "asset__uri", "asset_id")
    counted = rows.annotate(Count("pk"), Min("event_id"), Max("event_id"), Min("created_at"))
    return {(name, uri): WaitingAsset(*facts) for name, uri, *facts in counted}


def will_be_told(dag: Dag) -> QuerySet[AssetDelivery]:
    """Return the deliveries that start no run of a DAG, but that its next run takes."""
    rows = AssetDelivery.objects.filter(dag=dag, dag_run=None, dropped_reason__in=TOLD_LATER)
    return rows if dag.event_policy in TELLING else rows.none()


def moment_of(dag: Dag, event_id: int) -> datetime:
    """Return when an event came to a DAG."""
    return AssetDelivery.objects.values_list("created_at", flat=True).get(dag=dag, event_id=event_id)


def take_all(dag: Dag, newest: int, run: DagRun, *, now: datetime) -> int:
    """Give a run all that waits up to an event, and the events before it that started nothing; returns how many.

    Guarded: a delivery that another run has taken stays that run's. The caller holds the DAG's row.
    """
    own = Q(dropped_reason__in=["", *TOLD_LATER], event_id__lte=newest)
    free = AssetDelivery.objects.filter(own, dag=dag, dag_run=None)
    return free.update(dag_run=run, taken_at=now, dropped_reason="")


def held(dag: Dag, event_ids: Collection[int]) -> list[int]:
    """Return the deliveries of these events that still wait, locked, so that nobody takes or drops them meanwhile."""
    return [row.pk for row in for_update(AssetDelivery.objects.filter(WAITING, dag=dag, event__in=event_ids).order_by("pk"))]


def take_held(rows: Collection[int], run: DagRun, *, now: datetime) -> int:
    """Give a run the deliveries that ``held`` has locked; returns how many."""
    return AssetDelivery.objects.filter(WAITING, pk__in=rows).update(dag_run=run, taken_at=now)


def supersede(dag: Dag) -> int:
    """Drop what waits for a DAG behind a newer event of the same asset that waits too or has a run; returns how many."""
    newer = AssetDelivery.objects.filter(dag=dag, asset=OuterRef("asset"), event_id__gt=OuterRef("event_id"), dropped_reason="")
    return AssetDelivery.objects.filter(WAITING, Exists(newer), dag=dag).update(dropped_reason=SUPERSEDED)


def drop(dag: Dag, asset_ids: Collection[int], reason: str) -> None:
    """Say of what waits of some assets that no run will take it, and why."""
    if asset_ids:
        AssetDelivery.objects.filter(WAITING, dag=dag, asset__in=asset_ids).update(dropped_reason=reason)
