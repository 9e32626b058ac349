"""Decides how a length of time reads as ISO 8601: as Airflow prints it, with years of 365 days."""

from __future__ import annotations

from datetime import timedelta

_YEAR_DAYS = 365


def iso_duration(value: timedelta) -> str:
    """Return a duration such as ``P1DT2H3.5S``, ``PT0S`` or ``-PT1H``."""
    length = abs(value)
    years, days = divmod(length.days, _YEAR_DAYS)
    hours, rest = divmod(length.seconds, 3600)
    minutes, whole = divmod(rest, 60)
    seconds = f"{whole}.{length.microseconds:06d}".rstrip("0") if length.microseconds else str(whole)
    date = "".join(f"{amount}{unit}" for amount, unit in ((years, "Y"), (days, "D")) if amount)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    clock = "".join(f"{amount}{unit}" for amount, unit in parts if amount not in (0, "0"))
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}P{date}" + (f"T{clock}" if clock else "" if date else "T0S")
