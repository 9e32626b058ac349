"""Decides what an author may pass to a timetable, and that it survives the way to the server."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from dateutil.relativedelta import MO, relativedelta

from orchestrator.sdk.definitions.timetables import (
    AirflowTimetableInvalid,
    AssetTriggeredTimetable,
    ContinuousTimetable,
    CronDataIntervalTimetable,
    CronPartitionTimetable,
    CronTriggerTimetable,
    DagRunInfo,
    DataInterval,
    DeltaDataIntervalTimetable,
    DeltaTriggerTimetable,
    EventsTimetable,
    MultipleCronTriggerTimetable,
    NullTimetable,
    OnceTimetable,
    PartitionedAtRuntime,
    TimeRestriction,
    Timetable,
    decode_timetable,
    encode_timetable,
    register_timetable,
    timetable_from_schedule,
)

OPEN_ENDED = TimeRestriction(datetime(2026, 1, 1, tzinfo=UTC), None, True)

ALL = [
    AssetTriggeredTimetable({"any": [1, 2]}),
    ContinuousTimetable(),
    CronDataIntervalTimetable("@daily", "Europe/Berlin"),
    CronPartitionTimetable("0 * * * *", timezone="Asia/Kolkata", run_offset=-1, key_format="%Y"),
    CronTriggerTimetable("0 1 * * *", timezone="UTC", interval=timedelta(hours=3), run_immediately=timedelta(minutes=4)),
    CronTriggerTimetable("0 1 * * *", timezone="UTC", interval=relativedelta(days=1, weekday=MO(2), hour=0)),
    DeltaDataIntervalTimetable(relativedelta(months=1)),
    DeltaTriggerTimetable(timedelta(hours=4), interval=timedelta(hours=1)),
    EventsTimetable([datetime(2026, 5, 1, tzinfo=ZoneInfo("Europe/Berlin"))], restrict_to_events=True, description="May"),
    EventsTimetable([]),
    MultipleCronTriggerTimetable("@daily", "5 5 * * *", timezone="UTC", run_immediately=True),
    NullTimetable(),
    OnceTimetable(),
    PartitionedAtRuntime(),
]


@pytest.mark.parametrize("timetable", ALL, ids=lambda timetable: type(timetable).__name__)
def test_a_timetable_is_the_same_after_the_way_through_json(timetable):
    copy = decode_timetable(json.loads(json.dumps(encode_timetable(timetable))))
    assert copy == timetable
    assert (copy.summary, copy.description, hash(copy)) == (timetable.summary, timetable.description, hash(timetable))


def test_the_serialized_form_names_airflows_class():
    assert encode_timetable(CronTriggerTimetable("@daily", timezone="UTC")) == {
        "type": "CronTriggerTimetable",
        "expression": "0 0 * * *",
        "timezone": "UTC",
        "interval": 0.0,
        "run_immediately": False,
    }


@pytest.mark.parametrize(
    ("zone", "stored"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
        (pendulum.timezone("Europe/Berlin"), "Europe/Berlin"),
        (pendulum.timezone("UTC"), "UTC"),
        (UTC, "UTC"),
        (fixed(timedelta(hours=2)), 7200),
        (pendulum.FixedTimezone(7200), 7200),
    ],
)
def test_a_time_zone_may_come_from_any_library(zone, stored):
    assert encode_timetable(CronTriggerTimetable("@daily", timezone=zone))["timezone"] == stored


def test_an_unknown_time_zone_is_named():
    with pytest.raises(ValueError, match="'Europe/Berlinn'"):
        CronTriggerTimetable("@daily", timezone="Europe/Berlinn")


def test_answers_are_plain_datetimes_in_utc_even_when_asked_with_pendulum():
    last = DataInterval.exact(pendulum.datetime(2026, 3, 7, 12, tz="America/New_York"))
    for timetable in (CronTriggerTimetable("@hourly", timezone="America/New_York"), DeltaTriggerTimetable(timedelta(hours=1))):
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=OPEN_ENDED)
        assert type(info.run_after) is datetime
        assert info.run_after == datetime(2026, 3, 7, 18, tzinfo=UTC)
        assert info.run_after.tzinfo is UTC


@pytest.mark.parametrize(
    ("cron", "after", "fires"),
    [
        ("30 1 * * *", "2026-10-31T12:00:00+00:00", "2026-11-01T06:30:00+00:00"),  # 01:30 happens twice: the second pass
        ("30 2 * * *", "2026-03-07T12:00:00+00:00", "2026-03-08T07:30:00+00:00"),  # 02:30 is skipped: 03:30
        ("*/30 * * * *", "2026-11-01T05:30:00+00:00", "2026-11-01T06:00:00+00:00"),  # both passes of the repeated hour
    ],
)
def test_clock_changes_in_new_york_follow_airflows_rule(cron, after, fires):
    timetable = CronTriggerTimetable(cron, timezone="America/New_York")
    last = DataInterval.exact(datetime.fromisoformat(after))
    info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=OPEN_ENDED)
    assert info.run_after.isoformat() == fires


@pytest.mark.parametrize(
    ("schedule", "kind"),
    [
        (None, NullTimetable),
        ("@once", OnceTimetable),
        ("@continuous", ContinuousTimetable),
        ("@daily", CronTriggerTimetable),
        (timedelta(days=1), DeltaTriggerTimetable),
        (relativedelta(days=1), DeltaTriggerTimetable),
    ],
)
def test_a_schedule_becomes_airflows_timetable(schedule, kind):
    assert type(timetable_from_schedule(schedule)) is kind


def test_intervals_come_back_by_option():
    assert type(timetable_from_schedule("@daily", create_intervals=True)) is CronDataIntervalTimetable
    assert type(timetable_from_schedule(timedelta(1), create_intervals=True)) is DeltaDataIntervalTimetable


def test_a_timetable_is_taken_as_it_is():
    timetable = OnceTimetable()
    assert timetable_from_schedule(timetable) is timetable


class Fortnightly(Timetable):
    """A timetable that no plugin made known."""


def test_an_unregistered_timetable_is_an_error_that_names_it():
    with pytest.raises(AirflowTimetableInvalid, match=r"test_authoring\.Fortnightly is not registered"):
        encode_timetable(Fortnightly())


class Registered(Timetable):
    """A timetable that a plugin made known."""


def test_a_registered_timetable_is_known_under_its_import_path():
    register_timetable(Registered)
    document = encode_timetable(Registered())
    assert document["type"].endswith("test_authoring.Registered")
    assert isinstance(decode_timetable(document), Registered)


@pytest.mark.parametrize(
    "document", [{}, {"type": "Nonsense"}, {"type": "CronTriggerTimetable"}, [], {"type": "EventsTimetable", "event_dates": 3}]
)
def test_a_broken_document_gives_one_kind_of_error(document):
    with pytest.raises(AirflowTimetableInvalid):
        decode_timetable(document)


def test_a_partitioned_run_has_no_logical_date():
    assert DagRunInfo(datetime(2026, 1, 1, tzinfo=UTC), None, None, "k").logical_date is None


def test_partitions_between_two_wall_times_are_walked_in_the_zone_of_the_timetable():
    timetable = CronPartitionTimetable("@daily", timezone="Europe/Berlin", key_format="%Y-%m-%d")
    bounds = {"earliest": datetime(2026, 3, 28, tzinfo=UTC), "latest": datetime(2026, 3, 30, tzinfo=UTC)}
    assert [info.partition_key for info in timetable.iter_partition_dagrun_infos(**bounds)] == [
        "2026-03-28",
        "2026-03-29",
        "2026-03-30",
    ]


def test_importing_timetables_loads_neither_django_nor_the_cron_libraries():
    code = (
        "import sys, orchestrator.sdk.definitions.timetables;"
        "heavy = {'django', 'croniter', 'cron_descriptor', 'pendulum', 'dateutil'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_schedule_of_assets_or_time_is_read_back_by_a_process_that_never_imported_it():
    inner = encode_timetable(CronTriggerTimetable("@daily", timezone="UTC"))
    document = {"type": "AssetOrTimeSchedule", "asset_condition": {"any": []}, "timetable": inner}
    timetable = decode_timetable(document)
    assert (timetable.summary, timetable.description) == ("Asset or 0 0 * * *", "Triggered by assets or At 00:00")
    assert encode_timetable(timetable) == document


def test_a_key_format_that_makes_keys_longer_than_any_run_may_have_is_refused_with_the_file() -> None:
    def keyed(filler: int) -> CronPartitionTimetable:
        return CronPartitionTimetable("@daily", timezone="UTC", key_format="k" * filler + "%Y-%m-%d")

    keyed(240).validate()
    with pytest.raises(AirflowTimetableInvalid, match="keys of 251 characters; at most 250"):
        keyed(241).validate()


@pytest.mark.parametrize("kind", [CronTriggerTimetable, CronDataIntervalTimetable])
def test_the_cron_expression_has_the_name_of_either_of_airflows_modules(kind: Any) -> None:
    assert kind(expression="@daily", timezone="UTC") == kind(cron="@daily", timezone="UTC") == kind("0 0 * * *", "UTC")
    with pytest.raises(TypeError, match="cron"):
        kind("@daily", "UTC", expression="@daily")
