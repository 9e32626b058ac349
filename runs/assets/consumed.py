"""Decides which events a run has consumed, and which runs an event has created."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from runs.models import AssetDelivery, AssetEvent, DagRun, PartitionArrival


def consumed_by(run_ids: Collection[int]) -> dict[int, list[AssetEvent]]:
    """Return the events of each run, oldest first, with asset and aliases loaded; a constant number of queries.

    Events of DAGs that are hidden from who asks are left out.
    """
    pairs = _pairs(dag_run_id__in=run_ids)
    events = AssetEvent.objects.select_related("asset").prefetch_related("aliases").in_bulk({event for _, event in pairs})
    found: dict[int, list[AssetEvent]] = defaultdict(list)
    for run_id, event_id in sorted(pairs):
        if event_id in events:
            found[run_id].append(events[event_id])
    return found


def runs_created_by(event_ids: Collection[int]) -> dict[int, list[DagRun]]:
    """Return the runs that took each event; a constant number of queries."""
    pairs = _pairs(event_id__in=event_ids)
    runs = DagRun.objects.in_bulk({run_id for run_id, _ in pairs})
    found: dict[int, list[DagRun]] = defaultdict(list)
    for run_id, event_id in sorted(pairs):
        found[event_id].append(runs[run_id])
    return found


def _pairs(**chosen: Collection[int]) -> set[tuple[int, int]]:
    taken = AssetDelivery.objects.filter(dag_run__isnull=False, **chosen)
    of_waits = {f"wait__{name}" if name.startswith("dag_run") else name: ids for name, ids in chosen.items()}
    arrived = PartitionArrival.objects.filter(wait__dag_run__isnull=False, **of_waits)
    return {*taken.values_list("dag_run_id", "event_id"), *arrived.values_list("wait__dag_run_id", "event_id")}
