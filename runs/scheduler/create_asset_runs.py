"""Decides when events of assets come to create runs: for every DAG and every partition with news."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q

from dags_app.selectors import spec_of
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from orchestrator.sdk.definitions.partitions.codec import needs_plugin
from runs.assets.consumers import PARTITIONED
from runs.assets.deliveries import WAITING
from runs.assets.event_runs import Outcome, run_from_events
from runs.assets.partition_runs import foresee_partition, run_from_partition
from runs.models import AssetDelivery, DagRun, PartitionWait
from runs.scheduler.holdings import Holdings
from runs.scheduler.set_aside import set_aside_dag

# Wake-ups of a busy scheduler come by the hundred a second; events are looked for at most this often.
SHORTEST_PAUSE_SECONDS = 0.1
# A consumer at its limit gets its next run at most this long after the end of one.
WAITING_PAUSE_SECONDS = 0.25
# What had no effect is judged again after this time, should its condition hang on more than its events.
JUDGED_AGAIN_SECONDS = 10.0
# A transaction may commit this long after it has written the time of its news.
OVERLAP_SECONDS = 5.0
# A DAG, or one partition of it by the id of its wait.
Subject = tuple[str, int | None]
_HERE = {"dag__is_paused": False, "dag__is_stale": False, "dag__has_import_errors": False}


class CreateAssetRuns:
    """Creates the runs that events make; each event counts once for each consumer (C23-a)."""

    name = "create_asset_runs"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._look_at = 0.0
        self._all_due_at = 0.0
        self._judged: dict[Subject, Any] = {}
        self._due: dict[Subject, datetime] = {}

    def run_once(self, limit: int) -> Result:
        """Judge what has news, at most ``limit`` DAGs and partitions; one that fails is set aside alone."""
        wait = self._look_at - monotonic()
        if wait > 0:
            return Result(next_in=wait)
        self._look_at = monotonic() + SHORTEST_PAUSE_SECONDS
        now, done = utcnow(), 0
        found = {**_dags_with_events(now), **_partitions(now, self._since(now))}
        self._judged = {key: value for key, value in self._judged.items() if key[1] is not None or key in found}
        news = [key for key, state in found.items() if self._is_news(key, state, now)]
        for key in news[:limit]:
            done += self._judge(key, found[key], now, limit)
        self.holdings.may_start_runs |= bool(done)
        return Result(done=done, more=len(news) > limit, next_in=WAITING_PAUSE_SECONDS if found else None)

    def _since(self, now: datetime) -> datetime | None:
        """Partitions may wait by the thousand, so all of them are looked at only now and then."""
        if monotonic() < self._all_due_at:
            return now - timedelta(seconds=OVERLAP_SECONDS)
        self._all_due_at = monotonic() + JUDGED_AGAIN_SECONDS
        self._judged.clear()
        self._due.clear()
        return None

    def _is_news(self, key: Subject, state: Any, now: datetime) -> bool:
        return key not in self._judged or self._judged[key] != state or (key in self._due and self._due[key] <= now)

    def _judge(self, key: Subject, state: Any, now: datetime, most: int) -> int:
        """Return how many runs were made: with one run per event several may be due at once, each in its own transaction."""
        for made in range(most):
            try:
                _foresee(key, state)
                with transaction.atomic():
                    outcome = _outcome(key, now)
            except Exception as error:
                set_aside_dag(key[0], error)
                return made
            fault_point("create_asset_run.after_commit")
            self._note(key, state, outcome.due)
            if not outcome.more:
                return made + (outcome.run is not None)
        return most

    def _note(self, key: Subject, state: Any, due: datetime | None) -> None:
        self._judged[key] = state
        self._due.pop(key, None)
        if due is not None:
            self._due[key] = due


def _foresee(key: Subject, state: Any) -> None:
    """No plugin's mapper is waited for in a transaction (ADR 0011)."""
    if key[1] is not None and state[1] is not None and needs_plugin(spec_of(state[1]).timetable):
        foresee_partition(key[1])


def _outcome(key: Subject, now: datetime) -> Outcome:
    dag_id, wait_id = key
    return run_from_events(dag_id, now=now) if wait_id is None else Outcome(run_from_partition(wait_id, now=now))


def _dags_with_events(now: datetime) -> dict[Subject, Any]:
    """Return what waits for each DAG, in a form that differs when the outcome may."""
    plain = AssetDelivery.objects.exclude(dag__timetable_type__endswith=PARTITIONED)
    rows = plain.filter(WAITING, _may_now(now), **_HERE).order_by()
    values = rows.values_list("dag_id", "dag__latest_version_id").annotate(newest=Max("event_id"), number=Count("pk"))
    waiting = list(values)
    open_runs = _open_runs({row[0] for row in waiting})
    return {(row[0], None): (*row[1:], open_runs.get(row[0], 0)) for row in waiting}


def _partitions(now: datetime, since: datetime | None) -> dict[Subject, Any]:
    """Return the partitions that wait, or those with news since a moment."""
    rows = PartitionWait.objects.filter(_may_now(now), dag_run=None, **_HERE)
    if since is not None:
        rows = rows.filter(updated_at__gte=since)
    values = rows.values_list("dag_id", "pk", "updated_at", "dag__latest_version_id")
    return {(row[0], row[1]): row[2:] for row in values.order_by("created_at", "pk")}


def _may_now(now: datetime) -> Q:
    return Q(dag__scheduling_retry_at=None) | Q(dag__scheduling_retry_at__lte=now)


def _open_runs(dag_ids: set[str]) -> dict[str, int]:
    """The end of a run makes room for the next one, which is news."""
    if not dag_ids:
        return {}
    rows = DagRun.objects.unfinished().filter(dag_id__in=dag_ids, backfill=None).order_by()
    return dict(rows.values_list("dag_id").annotate(number=Count("pk")))
