"""Decides which stretches of time a window is made of; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta


def members(kind: str, anchor: datetime, *, backward: bool) -> list[datetime]:
    """Return the parts of the period that begins at ``anchor``, or with ``backward`` the parts that end at it.

    Args:
        kind: class name of a window of time.
        anchor: start of the period; the first of a month for windows of months.

    Raises ``ValueError`` for an unknown window and for an anchor that does not fit.
    """
    if kind == "MonthWindow":
        return _days_of_month(_first(anchor, kind), backward)
    if kind not in _STEPS:
        raise ValueError(f"{kind} is no window of time that this platform knows")
    count, step, is_monthly = _STEPS[kind]
    start = step(_first(anchor, kind) if is_monthly else anchor, 1 - count if backward else 0)
    return [step(start, number) for number in range(count)]


def _minutes(moment: datetime, number: int) -> datetime:
    return moment + timedelta(minutes=number)


def _hours(moment: datetime, number: int) -> datetime:
    return moment + timedelta(hours=number)


def _days(moment: datetime, number: int) -> datetime:
    return moment + timedelta(days=number)


def _months(moment: datetime, number: int) -> datetime:
    years, month = divmod(moment.month - 1 + number, 12)
    return moment.replace(year=moment.year + years, month=month + 1)


_STEPS: dict[str, tuple[int, Callable[[datetime, int], datetime], bool]] = {
    "HourWindow": (60, _minutes, False),
    "DayWindow": (24, _hours, False),
    "WeekWindow": (7, _days, False),
    "QuarterWindow": (3, _months, True),
    "YearWindow": (12, _months, True),
}


def _days_of_month(anchor: datetime, backward: bool) -> list[datetime]:
    """A month has as many days as it has; backward, the days after the first of the month before, up to the anchor."""
    if backward:
        length = (anchor - _months(anchor, -1)).days
        return [anchor - timedelta(days=length - 1 - number) for number in range(length)]
    return [anchor + timedelta(days=number) for number in range((_months(anchor, 1) - anchor).days)]


def _first(anchor: datetime, kind: str) -> datetime:
    if anchor.day != 1:
        raise ValueError(f"{kind} needs a period that begins on the first of a month, not {anchor.isoformat()}")
    return anchor
