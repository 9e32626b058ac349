"""Decides how durations (timedelta, relativedelta) are written as JSON and read back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

    Delta: TypeAlias = timedelta | relativedelta

_PARTS = ("years", "months", "days", "leapdays", "hours", "minutes", "seconds", "microseconds")
_ABSOLUTE = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def is_delta(value: object) -> bool:
    """Tell whether a value is a timedelta or a relativedelta."""
    if isinstance(value, timedelta):
        return True
    from dateutil.relativedelta import relativedelta

    return isinstance(value, relativedelta)


def encode_delta(delta: Delta) -> float | dict[str, Any]:
    """Return seconds for a timedelta, the parts that are set for a relativedelta."""
    if isinstance(delta, timedelta):
        return delta.total_seconds()
    parts = {name: value for name in _PARTS if (value := getattr(delta, name))}
    parts |= {name: value for name in _ABSOLUTE if (value := getattr(delta, name)) is not None}
    if delta.weekday is not None:
        weekday = delta.weekday
        parts["weekday"] = [weekday.weekday] if weekday.n is None else [weekday.weekday, weekday.n]
    return parts


def decode_delta(document: float | dict[str, Any]) -> Delta:
    """Read what ``encode_delta`` wrote."""
    if not isinstance(document, dict):
        return timedelta(seconds=document)
    from dateutil.relativedelta import relativedelta, weekday

    parts = dict(document)
    if "weekday" in parts:
        parts["weekday"] = weekday(*parts["weekday"])
    return relativedelta(**parts)


def after(moment: datetime, delta: Delta) -> datetime:
    """Return the instant one delta later."""
    return moment + delta


def before(moment: datetime, delta: Delta) -> datetime:
    """Return the instant one delta earlier."""
    return moment - delta
