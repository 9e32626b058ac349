"""The time zone of a DAG is that of its start date, whichever library the author took it from."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pendulum
import pytest
from dateutil import tz

from orchestrator.sdk import DAG
from orchestrator.sdk.definitions.timetables import TimeRestriction, decode_timetable
from orchestrator.sdk.parsing.validation import problems
from orchestrator.sdk.serialization.encode import encode_dag

FIXED = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    ("start", "name", "hour_utc"),
    [
        (datetime(2026, 1, 1, tzinfo=FIXED), "+03:00", 3),
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5, minutes=-30))), "-05:30", 11),
        (datetime.fromisoformat("2026-01-01T00:00:00+02:00"), "+02:00", 4),
        (pendulum.datetime(2026, 1, 1, tz=pendulum.FixedTimezone(10800)), "+03:00", 3),
        (pendulum.datetime(2026, 1, 1, tz=pendulum.FixedTimezone(0)), "UTC", 6),
        (datetime(2026, 1, 1, tzinfo=UTC), "UTC", 6),
        (datetime(2026, 1, 1, tzinfo=tz.UTC), "UTC", 6),
        (datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")), "Asia/Tokyo", 21),
        (pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"), "Europe/Berlin", 5),
        (datetime(2026, 1, 1), "UTC", 6),
    ],
)
def test_a_schedule_is_read_in_the_zone_of_the_start_date(start: Any, name: str, hour_utc: int) -> None:
    """Also where that zone has no name but an offset only."""
    spec = encode_dag(DAG("d", schedule="0 6 * * *", start_date=start))
    assert (spec.timezone, problems(spec)) == (name, [])
    info = decode_timetable(spec.timetable).next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(datetime(2026, 1, 1, tzinfo=UTC), None, True)
    )
    assert info is not None
    assert info.run_after.astimezone(UTC).hour == hour_utc


def test_the_zone_may_come_from_the_default_arguments() -> None:
    spec = encode_dag(DAG("d", schedule="@daily", default_args={"start_date": "2026-01-01T00:00:00+03:00"}))
    assert (spec.timezone, spec.start_date) == ("+03:00", "2025-12-31T21:00:00Z")
