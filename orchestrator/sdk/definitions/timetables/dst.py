"""Decides which instant a wall-clock time means on the days a zone changes its clocks."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def wall_to_utc(wall: datetime, zone: tzinfo) -> datetime:
    """Return the instant of a naive wall time in a zone.

    A time that happens twice means its second pass. A time that is skipped is moved forward by the length of the gap:
    02:30 on a day that jumps from 02:00 to 03:00 means 03:30.
    """
    late = wall.replace(tzinfo=zone, fold=1)
    instant = late.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
        return instant
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def utc_to_wall(instant: datetime, zone: tzinfo) -> datetime:
    """Return the naive wall time that a clock in the zone shows at the instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
