"""Decides the date filters of templates: ``ds``, ``ts`` and their forms without dashes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


def ds(value: datetime) -> str:
    """Return ``YYYY-MM-DD``."""
    return value.strftime("%Y-%m-%d")


def ds_nodash(value: datetime) -> str:
    """Return ``YYYYMMDD``."""
    return value.strftime("%Y%m%d")


def ts(value: datetime) -> str:
    """Return the instant in ISO 8601."""
    return value.isoformat()


def ts_nodash(value: datetime) -> str:
    """Return ``YYYYMMDDTHHMMSS``."""
    return value.strftime("%Y%m%dT%H%M%S")


def ts_nodash_with_tz(value: datetime) -> str:
    """Return the instant in ISO 8601 without dashes and colons, with its offset."""
    return value.isoformat().replace("-", "").replace(":", "")


FILTERS: dict[str, Callable[[datetime], str]] = {
    "ds": ds,
    "ds_nodash": ds_nodash,
    "ts": ts,
    "ts_nodash": ts_nodash,
    "ts_nodash_with_tz": ts_nodash_with_tz,
}
