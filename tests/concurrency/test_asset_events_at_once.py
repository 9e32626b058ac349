"""Many producers and several schedulers at once: every event is in exactly one run of each consumer (C23-a)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import OperationalError, connection, connections, transaction

from dags_app.models import Asset
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset_timetables import PartitionedAssetTimetable
from orchestrator.sdk.definitions.partition_mappers import FixedKeyMapper, RollupMapper, SegmentWindow
from runs.assets.deliveries import SUPERSEDED
from runs.assets.event_runs import run_from_events
from runs.assets.events import NewEvent, events_add
from runs.assets.partition_mapping import Mapped
from runs.assets.partition_waits import count_asked
from runs.models import AssetDelivery, AssetEvent, DagRun, PartitionArrival, PartitionWait
from runs.scheduler.create_asset_runs import CreateAssetRuns
from runs.scheduler.holdings import Holdings
from tests.assets import happen, stored
from tests.concurrency.at_once import LONG_SECONDS, at_once, deadlocks

pytestmark = pytest.mark.django_db(transaction=True)

SCHEDULERS = 4
PRODUCERS, EVENTS_EACH = (20, 25) if connection.vendor == "postgresql" else (3, 5)


def produce(asset_id: int, key: str | None, start: Barrier) -> None:
    start.wait(LONG_SECONDS)
    asset = Asset.objects.get(pk=asset_id)
    for _ in range(EVENTS_EACH):
        again(lambda: events_add([NewEvent(asset, partition_key=key)], now=utcnow()))


def again(act: Callable[[], object]) -> None:
    """As every door does: what the database could not do at once is done again."""
    for _ in range(50):
        try:
            with transaction.atomic():
                act()
            return
        except OperationalError:
            continue
    raise AssertionError("the database stays locked")


def schedule(start: Barrier, is_over: Event) -> None:
    duty = CreateAssetRuns(Holdings(new_id()))
    start.wait(LONG_SECONDS)
    last_look = False
    while True:
        duty._look_at = duty._all_due_at = 0.0
        try:
            duty.run_once(100)
        except OperationalError:
            continue
        if last_look:
            return
        last_look = is_over.is_set()


def together(keys: list[str | None]) -> None:
    """Let producers and schedulers run until everything was produced and looked at once more."""
    assets = {asset.name: asset.pk for asset in Asset.objects.all()}
    start, is_over = Barrier(len(keys) + SCHEDULERS), Event()

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(keys) + SCHEDULERS) as pool:
        watching = [pool.submit(run, lambda: schedule(start, is_over)) for _ in range(SCHEDULERS)]
        names = sorted(assets)
        producing = [
            pool.submit(run, lambda number=number, key=key: produce(assets[names[number % len(names)]], key, start))
            for number, key in enumerate(keys)
        ]
        try:
            for future in producing:
                future.result(LONG_SECONDS)
        finally:
            is_over.set()
        for future in watching:
            future.result(LONG_SECONDS)


def test_c23_a_every_event_is_in_exactly_one_run_of_each_consumer() -> None:
    before = deadlocks()
    limits = {"max_active_runs": None}
    stored("one", A("a"), **limits)
    stored("any", A("a") | A("b"), **limits)
    stored("all", A("a") & A("b"), **limits)
    together([None] * PRODUCERS)
    total = PRODUCERS * EVENTS_EACH
    assert AssetEvent.objects.count() == total
    of_a = AssetEvent.objects.filter(asset__name="a").count()
    found = Counter(AssetDelivery.objects.values_list("dag_id", flat=True))
    assert found == {"one": of_a, "any": total, "all": total}
    taken = AssetDelivery.objects.exclude(dag_run=None)
    assert Counter(taken.values_list("dag_id", flat=True))["one"] == of_a
    assert Counter(taken.values_list("dag_id", flat=True))["any"] == total
    waits = AssetDelivery.objects.filter(dag_run=None).values_list("dag_id", "asset__name").distinct()
    assert len(waits) <= 1 and {dag_id for dag_id, _ in waits} <= {"all"}  # the other asset has no news any more
    assert not DagRun.objects.filter(asset_deliveries=None).exists()  # no run without an event
    assert deadlocks() == before


@pytest.mark.parametrize("policy", ["each", "window", "latest"])
def test_c23_b_no_event_is_in_two_runs_or_lost_under_any_policy(policy: str) -> None:
    before = deadlocks()
    stored("d", A("a"), max_active_runs=None, event_policy=policy, event_window=0.001 if policy == "window" else None)
    together([None] * PRODUCERS)
    duty = CreateAssetRuns(Holdings(new_id()))
    while AssetDelivery.objects.filter(dag_run=None, dropped_reason="").exists():
        duty._look_at = duty._all_due_at = 0.0
        duty.run_once(1000)
    taken = AssetDelivery.objects.exclude(dag_run=None)
    dropped = set(AssetDelivery.objects.filter(dag_run=None).values_list("dropped_reason", flat=True))
    assert AssetDelivery.objects.count() == AssetEvent.objects.count() == PRODUCERS * EVENTS_EACH
    assert dropped == (set() if policy != "latest" or taken.count() == PRODUCERS * EVENTS_EACH else {SUPERSEDED})
    assert not DagRun.objects.filter(asset_deliveries=None).exists()  # no run without an event
    if policy != "window":
        assert taken.count() == DagRun.objects.count()  # one event per run
    if policy == "latest":
        newest_first = list(taken.order_by("-dag_run").values_list("event", flat=True))
        assert newest_first == sorted(newest_first, reverse=True)  # no run tells of older news than the one before
    assert deadlocks() == before


@pytest.mark.parametrize(("policy", "winners"), [("batch", 1), ("each", 3), ("window", 1), ("latest", 1)])
def test_c23_b_of_schedulers_that_look_in_the_same_moment_the_losers_make_no_run(policy: str, winners: int) -> None:
    stored("d", A("a"), max_active_runs=None, event_policy=policy, event_window=0.001 if policy == "window" else None)
    for _ in range(3):
        happen("a")
    later = utcnow() + timedelta(seconds=1)
    outcomes = at_once(*[lambda: run_from_events("d", now=later)] * (SCHEDULERS + 1))
    assert sum(outcome.run is not None for outcome in outcomes) == winners == DagRun.objects.count()
    assert not AssetDelivery.objects.filter(dag_run=None, dropped_reason="").exists()


def test_c23_a_of_schedulers_that_have_asked_a_mapper_for_the_same_event_one_counts_it() -> None:
    dag = stored("d", PartitionedAssetTimetable(A("a")))
    event = happen("a", "us")
    PartitionWait.objects.all().delete()
    waiting = AssetDelivery.objects.create(event=event, dag=dag, asset_id=event.asset_id, created_at=utcnow())
    found = Mapped(["us", "eu"])
    won = at_once(*[lambda: count_asked(waiting.pk, dag.latest_version_id, found, now=utcnow())] * SCHEDULERS)
    assert sum(won) == 1
    assert sorted(PartitionArrival.objects.values_list("wait__partition_key", flat=True)) == ["eu", "us"]
    assert not AssetDelivery.objects.exists()


def test_c23_a_every_event_of_a_partition_is_in_exactly_one_run() -> None:
    before = deadlocks()
    keys = ["us", "eu"]
    rollup = RollupMapper(upstream_mapper=FixedKeyMapper("all"), window=SegmentWindow(keys))
    stored("d", PartitionedAssetTimetable(A("a"), {A("a"): rollup}), max_active_runs=None)
    together([keys[number % 2] for number in range(PRODUCERS - PRODUCERS % 2)])
    arrivals = list(PartitionArrival.objects.values_list("event_id", flat=True))
    assert sorted(arrivals) == sorted(AssetEvent.objects.values_list("pk", flat=True))
    assert len(arrivals) == len(set(arrivals))
    runs = PartitionWait.objects.exclude(dag_run=None).values_list("dag_run_id", flat=True)
    assert sorted(runs) == sorted(DagRun.objects.values_list("pk", flat=True))
    for wait in PartitionWait.objects.exclude(dag_run=None).prefetch_related("arrivals"):
        assert {arrival.source_partition_key for arrival in wait.arrivals.all()} == {"us", "eu"}
    assert PartitionWait.objects.filter(dag_run=None).count() <= 1
    assert deadlocks() == before
