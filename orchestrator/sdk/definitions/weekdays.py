"""Decides the numbers and names of the days of the week: Monday is 1."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any


class WeekDay(IntEnum):
    """A day of the week, as ``isoweekday()`` counts."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def get_weekday_number(cls, week_day_str: str) -> WeekDay:
        """Return the day of an English name; raises ``AttributeError``."""
        name = week_day_str.upper()
        if name not in cls.__members__:
            raise AttributeError(f'Invalid Week Day passed: "{week_day_str}"')
        return cls[name]

    @classmethod
    def convert(cls, day: Any) -> int:
        """Return the number of a name or a day."""
        return cls.get_weekday_number(day) if isinstance(day, str) else day

    @classmethod
    def validate_week_day(cls, week_day: Any) -> set[int]:
        """Return the numbers of one or more names or days; raises ``TypeError`` for anything else."""
        if not isinstance(week_day, str | WeekDay | Iterable):
            raise TypeError(f"week_day must be a name, a WeekDay or a collection of them, not {week_day!r}")
        days = [week_day] if isinstance(week_day, str | WeekDay) else list(week_day)
        return {cls.convert(day) for day in days}
