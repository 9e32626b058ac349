"""What happens when the clocks change, as the author chose it (C24-a)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator.sdk.definitions.timetables import (
    CronDataIntervalTimetable,
    CronTriggerTimetable,
    TimeRestriction,
    decode_timetable,
    encode_timetable,
)

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")
# Each with a time that the zone's days lack or repeat.
PLACES = [
    ("Europe/Berlin", "15 2 * * *"),
    ("America/New_York", "15 2 * * *"),
    ("America/New_York", "30 1 * * *"),
    ("Australia/Lord_Howe", "15 2 * * *"),
    ("Australia/Lord_Howe", "45 1 * * *"),
    ("Africa/Casablanca", "15 2 * * *"),
]
POLICIES = [(None, None), ("shift", "first"), ("skip", "both")]


def times_of(day: date, hour: int, minute: int, zone: ZoneInfo) -> int:
    """How often a day has a wall time, counted over all instants that could be meant."""
    wall = datetime(day.year, day.month, day.day, hour, minute)
    found = 0
    for offset in range(-14 * 60, 15 * 60, 15):
        instant = (wall - timedelta(minutes=offset)).replace(tzinfo=UTC)
        found += instant.astimezone(zone).replace(tzinfo=None) == wall
    return found


@pytest.mark.parametrize(("zone", "cron"), PLACES)
@pytest.mark.parametrize(("gap", "overlap"), POLICIES)
def test_c24a_a_daily_schedule_has_the_right_number_of_ticks_on_each_day_of_sixteen_years(
    zone: str, gap: str | None, overlap: str | None, cron: str
) -> None:
    timetable = CronTriggerTimetable(cron, zone, dst_gap=gap, dst_overlap=overlap)
    info, local = ZoneInfo(zone), cron.split()
    at, end = datetime(2020, 1, 1, tzinfo=info).astimezone(UTC), datetime(2036, 1, 1, tzinfo=info).astimezone(UTC)
    at -= timedelta(seconds=1)
    ticks: dict[date, list[datetime]] = {}
    while (following := timetable._get_next(at)) < end:
        assert following > at
        at = following
        ticks.setdefault(at.astimezone(info).date(), []).append(at)
    day = date(2020, 1, 1)
    while day < date(2036, 1, 1):
        number = len(ticks.get(day, []))
        if number != 1:
            times = times_of(day, int(local[1]), int(local[0]), info)
            assert (times, number) in ((0, 0), (2, 2)), day
            assert (gap if times == 0 else overlap) in ("skip", "both"), day
        day += timedelta(days=1)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("gap", "overlap"), [("shift", "first"), ("skip", "both"), ("shift", "last")])
def test_c24a_intervals_follow_each_other_without_gap_and_none_is_empty(zone: str, gap: str, overlap: str) -> None:
    timetable = CronDataIntervalTimetable("*/30 * * * *", zone, dst_gap=gap, dst_overlap=overlap)
    bounds = TimeRestriction(datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 20, tzinfo=UTC), catchup=True)
    info, last = None, None
    while info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=bounds):
        assert info.data_interval is not None and info.data_interval.start < info.data_interval.end
        assert last is None or info.data_interval.start == last.end
        last = info.data_interval
    assert last is not None and last.end > datetime(2025, 4, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("overlap", "hours"), [("first", ["00:30"]), ("last", ["01:30"]), ("both", ["00:30", "01:30"]), (None, ["01:30"])]
)
def test_a_time_that_happens_twice(overlap: str | None, hours: list[str]) -> None:
    """Berlin, 26 October 2025: 02:30 happens at 00:30 and at 01:30 UTC."""
    timetable = CronTriggerTimetable("30 2 * * *", "Europe/Berlin", dst_overlap=overlap)
    at, found = datetime(2025, 10, 25, 12, tzinfo=UTC), []
    while (at := timetable._get_next(at)) < datetime(2025, 10, 26, 12, tzinfo=UTC):
        found.append(f"{at:%H:%M}")
    assert found == hours


@pytest.mark.parametrize(("gap", "tick"), [("shift", "30T01:30"), ("skip", "31T00:30"), (None, "30T01:30")])
def test_a_time_that_a_day_does_not_have(gap: str | None, tick: str) -> None:
    """Berlin, 30 March 2025: there is no 02:30; moved it is 03:30."""
    timetable = CronTriggerTimetable("30 2 * * *", "Europe/Berlin", dst_gap=gap)
    assert f"{timetable._get_next(datetime(2025, 3, 29, 12, tzinfo=UTC)):%dT%H:%M}" == tick


def test_the_choice_is_kept_in_the_document_and_a_wrong_word_is_named() -> None:
    chosen = CronTriggerTimetable("@daily", "Europe/Berlin", dst_gap="skip", dst_overlap="both")
    document = encode_timetable(chosen)
    assert (document["dst_gap"], document["dst_overlap"]) == ("skip", "both") and decode_timetable(document) == chosen
    assert "dst_gap" not in encode_timetable(CronTriggerTimetable("@daily", "UTC"))
    with pytest.raises(ValueError, match="dst_gap must be one of shift, skip, not 'jump'"):
        CronDataIntervalTimetable("@daily", "UTC", dst_gap="jump")
