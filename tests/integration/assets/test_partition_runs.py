"""Which partitions make runs, and which of their facts the runs carry (3.3's partitions)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.models import AuditLog
from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset_timetables import PartitionedAssetTimetable
from orchestrator.sdk.definitions.partition_mappers import (
    AllowedKeyMapper,
    DayWindow,
    FanOutMapper,
    FixedKeyMapper,
    HourWindow,
    IdentityMapper,
    MinimumCount,
    RollupMapper,
    SegmentWindow,
    StartOfDayMapper,
    StartOfHourMapper,
    WeekWindow,
)
from orchestrator.sdk.definitions.timetables import CronPartitionTimetable, PartitionedAtRuntime
from runs.assets.consumed import consumed_by
from runs.assets.partitioned import PartitionKeyError
from runs.models import DagRun, PartitionWait
from runs.run_ids import backfill_run_id, scheduled_run_id
from runs.services import run_trigger
from tests.assets import changed, happen, stored
from tests.integration.runs.harness import Rounds
from tests.oracle import oracle_json

pytestmark = pytest.mark.django_db


def partitioned(assets: Any, default: Any = None, **own: Any) -> PartitionedAssetTimetable:
    return PartitionedAssetTimetable(assets, {A(name): mapper for name, mapper in own.items()}, default)


def made(dag_id: str) -> list[tuple[str | None, datetime | None, int]]:
    runs = DagRun.objects.filter(dag_id=dag_id).order_by("partition_key")
    events = consumed_by([run.pk for run in runs])
    return [(run.partition_key, run.partition_date, len(events.get(run.pk, []))) for run in runs]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_each_key_makes_a_run_when_every_asset_has_brought_it():
    stored("d", partitioned(A("a") & A("b"), StartOfHourMapper()))
    for key in ("2026-03-10T07:00:00", "2026-03-10T08:10:00"):
        happen("a", key)
    happen("b", "2026-03-10T07:59:00")
    Rounds().run()
    assert made("d") == [("2026-03-10T07", at(2026, 3, 10, 7), 2)]
    happen("b", "2026-03-10T08:00:00")
    Rounds().run()
    assert made("d")[1:] == [("2026-03-10T08", at(2026, 3, 10, 8), 2)]


def test_a_rolled_up_day_waits_for_its_24_hours_as_recorded_from_airflow():
    stored("d", partitioned(A("a"), a=RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow())))
    rounds, golden = Rounds(), oracle_json("runs_golden.json")["day_rollup"]
    for hour in range(23):
        happen("a", f"2026-03-11T{hour:02d}:00:00")
    rounds.run()
    assert made("d") == golden["after_23_hours"] == []
    happen("a", "2026-03-11T23:00:00")
    rounds.run()
    (expected,) = golden["after_24_hours"]
    ((key, date, events),) = made("d")
    assert (key, date.isoformat().replace("+00:00", "Z"), events) == (
        expected["partition_key"],
        expected["partition_date"],
        expected["events"],
    )


def test_wait_policies_and_segments():
    rollup = {"upstream_mapper": FixedKeyMapper("all"), "window": SegmentWindow(["us", "eu", "apac"])}
    stored("all", partitioned(A("a"), a=RollupMapper(**rollup)))
    stored("two", partitioned(A("a"), a=RollupMapper(**rollup, wait_policy=MinimumCount(2))))
    stored("but_one", partitioned(A("a"), a=RollupMapper(**rollup, wait_policy=MinimumCount(-1))))
    rounds = Rounds()
    seen = []
    for key in ("us", "us", "eu", "apac"):
        happen("a", key)
        rounds.run()
        seen.append([len(made(name)) for name in ("all", "two", "but_one")])
    assert seen == [[0, 0, 0], [0, 0, 0], [0, 1, 1], [1, 1, 1]]
    assert made("all") == [("all", None, 4)]


def test_one_event_fans_out_to_a_run_per_day():
    stored("d", partitioned(A("a"), FanOutMapper(upstream_mapper=StartOfDayMapper(), window=WeekWindow())))
    happen("a", "2026-03-09T00:00:00")
    Rounds().run()
    assert [row[0] for row in made("d")] == [f"2026-03-{day:02d}" for day in range(9, 16)]


@pytest.mark.parametrize(
    ("mapper", "key", "noted"),
    [
        (AllowedKeyMapper(["us"]), "mars", "failed to map partition_key"),
        (StartOfDayMapper(), "no date", "failed to map partition_key"),
        (IdentityMapper(), None, "missing partition key"),
        (
            FanOutMapper(
                upstream_mapper=StartOfHourMapper(),
                window=HourWindow(),
                downstream_mapper=IdentityMapper(),
                max_downstream_keys=5,
            ),
            "2026-03-09T00:00:00",
            "partition fan-out exceeded",
        ),
    ],
)
def test_a_key_that_maps_to_nothing_starts_nothing_and_is_noted(mapper: Any, key: str | None, noted: str):
    stored("d", partitioned(A("a"), mapper))
    stored("plain", A("a"))
    happen("a", key)
    Rounds().run()
    assert made("d") == [] and not PartitionWait.objects.exists()
    assert AuditLog.objects.get().event == noted
    assert len(made("plain")) == (key is None)  # the event is there for its other consumers; one of a partition starts none


def test_a_paused_consumer_counts_nothing():
    stored("d", partitioned(A("a")), is_paused=True)
    happen("a", "us")
    assert not PartitionWait.objects.exists()


def test_what_waits_under_other_mappers_is_dropped():
    dag = stored("d", partitioned(A("a"), RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow())))
    happen("a", "2026-03-11T00:00:00")
    changed(dag, partitioned(A("a"), StartOfDayMapper()))
    Rounds().run()
    assert made("d") == [] and not PartitionWait.objects.exists()
    happen("a", "2026-03-11T01:00:00")
    Rounds().run()
    assert made("d") == [("2026-03-11", at(2026, 3, 11), 1)]


def test_the_date_of_the_producing_run_goes_on_only_through_identity():
    from runs.assets.events import NewEvent, events_add
    from tests.assets import Asset

    stored("same", partitioned(A("a")))
    stored("fixed", partitioned(A("a"), FixedKeyMapper("k")))
    with transaction.atomic():
        new = NewEvent(Asset.objects.get(name="a"), partition_key="us", partition_date=at(2026, 1, 1))
        events_add([new], now=utcnow())
    Rounds().run()
    assert (made("same"), made("fixed")) == ([("us", at(2026, 1, 1), 1)], [("k", None, 1)])


def test_two_dates_carried_for_one_key_leave_none():
    from runs.assets.events import NewEvent, events_add
    from tests.assets import Asset

    stored("d", partitioned(A("a") & A("b")))
    for name, day in (("a", 1), ("b", 2)):
        with transaction.atomic():
            asset = Asset.objects.get(name=name)
            events_add([NewEvent(asset, partition_key="us", partition_date=at(2026, 1, day))], now=utcnow())
    Rounds().run()
    assert made("d") == [("us", None, 2)]


# ------------------------------------------------------------------------------------------------ runs by clock and hand


def test_a_cron_partition_run_has_its_key_and_comes_once():
    due = (utcnow() - timedelta(minutes=30)).replace(second=0, microsecond=0)  # the next one is far
    dag = stored("d", CronPartitionTimetable(f"{due.minute} * * * *", timezone="UTC", run_offset=-1))
    Dag.objects.filter(pk=dag.pk).update(next_dagrun_create_after=due)
    rounds = Rounds()
    rounds.run()
    rounds.run()
    run = DagRun.objects.get()
    before = due - timedelta(hours=1)
    assert (run.partition_date, run.partition_key, run.logical_date) == (before, before.strftime("%Y-%m-%dT%H:%M:%S"), None)
    assert run.run_id.startswith(f"scheduled__{due.isoformat()}__{run.partition_key}__")
    assert Dag.objects.get().next_dagrun_create_after == due + timedelta(hours=1)


def test_a_key_with_a_slash_makes_no_run_id_that_an_address_cannot_carry():
    scheduled = scheduled_run_id("d", run_after=at(2026, 1, 2), partition_key="2026/01/02")
    assert scheduled.startswith("scheduled__2026-01-02T00:00:00+00:00__2026-01-02__")
    assert scheduled == scheduled_run_id("d", run_after=at(2026, 1, 2), partition_key="2026/01/02")
    backfill = backfill_run_id(run_after=at(2026, 1, 2), partition_key="2026/01/02")
    assert backfill.startswith("backfill__2026-01-02T00:00:00+00:00__2026-01-02__")


def test_a_long_key_is_cut_in_a_run_id_and_the_mark_that_tells_runs_apart_stays():
    """Two hours of one long key differ in the mark alone."""
    one, other = (scheduled_run_id("d", run_after=at(2026, 1, 2, hour), partition_key="k" * 250) for hour in (1, 2))
    assert (len(one), len(other), one[-10:-8]) == (250, 250, "__")
    assert one[-8:] != other[-8:]


@pytest.mark.parametrize(
    ("schedule", "key", "date"),
    [
        (CronPartitionTimetable("@daily", timezone="Europe/Berlin"), "2026-03-10T00:00:00", at(2026, 3, 9, 23)),
        (PartitionedAtRuntime(), "us", None),
        (partitioned(A("a"), StartOfDayMapper()), "2026-03-10", at(2026, 3, 10)),
        (partitioned(A("a")), "us", None),
    ],
)
def test_a_run_by_hand_may_name_its_partition(schedule: Any, key: str, date: datetime | None):
    dag = stored("d", schedule)
    with transaction.atomic():
        run = run_trigger(dag=dag, partition_key=key)
    assert (run.partition_key, run.partition_date) == (key, date)


@pytest.mark.parametrize(
    ("schedule", "key", "words"),
    [
        (None, "us", "Dag 'd' is not a partitioned Dag and does not accept a partition_key."),
        (PartitionedAtRuntime(), "  ", "must not be empty"),
        (PartitionedAtRuntime(), "x" * 251, "at most 250"),
        (CronPartitionTimetable("@daily", timezone="UTC"), "us", "does not match the timetable's key_format"),
        (partitioned(A("a"), StartOfDayMapper()), "us", "is invalid for this timetable's mappers"),
    ],
)
def test_a_partition_that_the_dag_does_not_take_is_refused_with_the_reason(schedule: Any, key: str, words: str):
    dag = stored("d", schedule)
    with pytest.raises(PartitionKeyError, match=words):
        run_trigger(dag=dag, partition_key=key)
