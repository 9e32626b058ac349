"""Decides what has become of an event for each of its consumers: a run has it, it waits, or no run will have it (C23-c)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runs.assets.consumers import PARTITIONED
from runs.assets.deliveries import TOLD_LATER
from runs.assets.policies import TELLING
from runs.models import AssetDelivery, AssetEvent, DagRun, PartitionArrival, PartitionWait


class FateState(StrEnum):
    """Exactly one of them holds for one event and one consumer, or one partition of it."""

    CONSUMED = "consumed"
    WAITING = "waiting"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an event for one consumer, or for one partition of it.

    ``run`` is a run that exists, with ``consumed`` only. ``reason`` is why no run will have the event, or why it starts none
    although it waits; empty where the consumer has to be asked. ``at`` is when it was taken, else when it came.
    """

    dag_id: str
    state: FateState
    at: datetime
    run: DagRun | None = None
    reason: str = ""
    wait: PartitionWait | None = None

    @property
    def wait_id(self) -> int | None:
        """The id of the partition that waits."""
        return self.wait.pk if self.wait else None

    @property
    def is_asked(self) -> bool:
        """Whether only the consumer knows why it waits."""
        return self.state is FateState.WAITING and not self.reason


def fates_of(event: AssetEvent) -> list[Fate]:
    """Return what became of an event, by DAG and partition; two queries."""
    rows = AssetDelivery.objects.filter(event=event).select_related("dag", "dag_run")
    arrivals = PartitionArrival.objects.filter(event=event).select_related("wait__dag", "wait__dag_run")
    found = [_of_delivery(row) for row in rows] + [_of_arrival(row) for row in arrivals]
    return sorted(found, key=lambda fate: (fate.dag_id, fate.wait.partition_key if fate.wait else ""))


def _of_delivery(row: AssetDelivery) -> Fate:
    if row.dag_run is not None:
        return Fate(row.dag_id, FateState.CONSUMED, row.taken_at or row.created_at, row.dag_run)
    is_told = row.dropped_reason in TOLD_LATER and row.dag.event_policy in TELLING
    waits = not row.dropped_reason or (is_told and not row.dag.timetable_type.endswith(PARTITIONED))
    return Fate(row.dag_id, FateState.WAITING if waits else FateState.SUPERSEDED, row.created_at, reason=row.dropped_reason)


def _of_arrival(row: PartitionArrival) -> Fate:
    wait = row.wait
    if wait.dag_run is not None:
        return Fate(wait.dag_id, FateState.CONSUMED, wait.dag_run.queued_at or wait.updated_at, wait.dag_run, wait=wait)
    return Fate(wait.dag_id, FateState.WAITING, row.created_at, wait=wait)
