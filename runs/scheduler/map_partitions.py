"""Decides when events are counted whose partitions a plugin's mapper names: it is asked first, outside of any transaction."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs.assets.consumers import PARTITIONED
from runs.assets.deliveries import WAITING
from runs.assets.partition_mapping import mapped
from runs.assets.partition_waits import count_asked, mapper_of
from runs.models import AssetDelivery, AssetEvent, DagRun
from runs.scheduler.set_aside import clear_dag_error, set_aside_dag

# A busy scheduler is woken by the hundred a second, mappers of plugins are rare, and asking one takes as long as this.
SHORTEST_PAUSE_SECONDS = 0.5
# A mapper that was silent is asked again this soon.
LOOK_EVERY_SECONDS = 1.0


class MapPartitions:
    """Asks the mappers of plugins what events count for (ADR 0011); a DAG whose mapper is silent is set aside alone."""

    name = "map_partitions"
    poll_seconds = 5.0

    def __init__(self) -> None:
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Ask for at most ``limit`` events, the oldest first."""
        wait = self._look_at - monotonic()
        if wait > 0:
            return Result(next_in=wait)
        self._look_at = monotonic() + SHORTEST_PAUSE_SECONDS
        now = utcnow()
        silent: set[str] = set()
        rows = list(_asked(now)[:limit])
        done = sum(_count(row, silent, now) for row in rows)
        return Result(done=done, more=len(rows) == limit and bool(done), next_in=LOOK_EVERY_SECONDS if rows else None)


def _asked(now: datetime) -> list[AssetDelivery]:
    may = Q(dag__scheduling_retry_at=None) | Q(dag__scheduling_retry_at__lte=now)
    rows = AssetDelivery.objects.filter(WAITING, may, dag__timetable_type__endswith=PARTITIONED, dag__is_stale=False)
    return rows.exclude(dag__latest_version=None).select_related("dag", "event__asset").order_by("event_id", "pk")  # type: ignore[return-value]


def _count(row: AssetDelivery, silent: set[str], now: datetime) -> bool:
    if row.dag_id in silent:
        return False
    try:
        found = mapped(mapper_of(row.dag, row.event.asset), row.event.partition_key or "", _date_of(row.event))
        fault_point("map_partitions.before_commit")
        with transaction.atomic():
            if row.dag.scheduling_error:
                clear_dag_error(row.dag_id)
            return count_asked(row.pk, row.dag.latest_version_id, found, now=now)
    except Exception as error:
        silent.add(row.dag_id)
        set_aside_dag(row.dag_id, error)
        return False


def _date_of(event: AssetEvent) -> datetime | None:
    """Return the partition date of the run that made an event, where the event is of that run's own partition."""
    place = {"dag_id": event.source_dag_id, "run_id": event.source_run_id, "partition_key": event.partition_key}
    if event.source_dag_id is None:
        return None
    return DagRun.objects.filter(**place).values_list("partition_date", flat=True).first()
