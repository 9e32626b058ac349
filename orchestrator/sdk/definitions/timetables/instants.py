"""Decides how instants and time zones of any library become stdlib ones, and back to JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


def utcnow() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)


def as_utc(moment: datetime) -> datetime:
    """Return a plain stdlib datetime in UTC; a naive value counts as UTC, a pendulum value loses its class."""
    if type(moment) is datetime and moment.tzinfo is UTC:
        return moment
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    offset = aware.utcoffset() or timedelta()
    wall = datetime.combine(aware.date(), aware.time().replace(tzinfo=None, fold=0))
    return (wall - offset).replace(tzinfo=UTC)


def zone_of(zone: str | int | tzinfo) -> tzinfo:
    """Return the stdlib zone for a name, an offset (``+03:00``, or in seconds), or any tzinfo (pendulum's too).

    Raises ``ValueError`` naming the zone when the name is unknown.
    """
    if isinstance(zone, bool) or not isinstance(zone, str | int | tzinfo):
        raise ValueError(f"{zone!r} is not a time zone; give a name such as 'Europe/Berlin' or a tzinfo")
    if isinstance(zone, str):
        return _named_zone(zone)
    if isinstance(zone, int):
        return timezone(timedelta(seconds=zone))
    name = getattr(zone, "key", None)
    if isinstance(name, str):
        return _named_zone(name)
    offset = zone.utcoffset(None)
    if offset is None:
        raise ValueError(f"the time zone {zone!r} has neither a name nor a fixed offset; use zoneinfo.ZoneInfo")
    return UTC if not offset else timezone(offset)


def encode_zone(zone: tzinfo) -> str | int:
    """Return a zone's name, or its offset in seconds when it has none."""
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    offset = zone.utcoffset(None)
    return int(offset.total_seconds()) if offset else "UTC"


@lru_cache(maxsize=700)
def _named_zone(name: str) -> tzinfo:
    if name.upper() in ("UTC", "Z"):
        return UTC
    if offset := _OFFSET.fullmatch(name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return zone_of(timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}; use a name of the IANA database such as 'Europe/Berlin'") from error
