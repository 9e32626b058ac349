"""How a schedule is shown before it happens (C24-b)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.sdk.definitions.timetables import (
    CronTriggerTimetable,
    DeltaTriggerTimetable,
    NullTimetable,
    OnceTimetable,
    TimeRestriction,
)
from orchestrator.sdk.definitions.timetables.preview import preview

NOW = datetime(2025, 10, 25, 12, tzinfo=UTC)
FOREVER = TimeRestriction(None, None, catchup=False)


def test_twenty_ticks_lie_on_each_side_in_order() -> None:
    shown = preview(CronTriggerTimetable("0 12 * * *", "UTC"), FOREVER, NOW)
    assert [tick.at for tick in shown.previous] == [NOW - timedelta(days=day) for day in range(19, -1, -1)]
    assert [tick.at for tick in shown.following] == [NOW + timedelta(days=day) for day in range(1, 21)]


def test_a_tick_shows_local_time_and_what_the_clocks_do() -> None:
    shown = preview(CronTriggerTimetable("30 2 * * *", "Europe/Berlin", dst_overlap="both"), FOREVER, NOW, count=3)
    assert [tick.local for tick in shown.following] == [
        "2025-10-26T02:30:00+02:00",
        "2025-10-26T02:30:00+01:00",
        "2025-10-27T02:30:00+01:00",
    ]
    assert [tick.note for tick in shown.following] == [
        "this time happens twice on this day; this is its first pass",
        "this time happens twice on this day; this is its second pass",
        "",
    ]
    daily = preview(CronTriggerTimetable("0 9 * * *", "Europe/Berlin"), FOREVER, NOW, count=2).following
    assert [(tick.zone, tick.note) for tick in daily] == [("CET", ""), ("CET", "")]
    before = preview(CronTriggerTimetable("0 9 * * *", "Europe/Berlin"), FOREVER, NOW + timedelta(days=1), count=2).previous
    assert before[1].note == "clocks went back by 1 h since the tick before"


def test_start_and_end_date_bound_the_ticks() -> None:
    bounds = TimeRestriction(NOW - timedelta(days=2), NOW + timedelta(days=1), catchup=False)
    shown = preview(CronTriggerTimetable("0 12 * * *", "UTC"), bounds, NOW)
    assert (len(shown.previous), len(shown.following)) == (3, 1)


@pytest.mark.parametrize(("start", "before", "after"), [(NOW - timedelta(hours=3), 4, 5), (None, 1, 5)])
def test_a_delta_is_counted_from_the_start_date(start: datetime | None, before: int, after: int) -> None:
    shown = preview(DeltaTriggerTimetable(timedelta(hours=1)), TimeRestriction(start, None, catchup=False), NOW, count=5)
    assert (len(shown.previous), len(shown.following)) == (before, after)


def test_once_is_once_and_never_is_never() -> None:
    start = TimeRestriction(NOW + timedelta(days=1), None, catchup=False)
    assert [tick.at for tick in preview(OnceTimetable(), start, NOW).following] == [NOW + timedelta(days=1)]
    assert preview(NullTimetable(), start, NOW).following == []
