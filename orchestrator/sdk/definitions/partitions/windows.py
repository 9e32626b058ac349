"""Decides the windows that one partition key stands for, and how many of their keys a run waits for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from orchestrator.sdk.definitions.partitions.facts import Facts
from orchestrator.sdk.definitions.partitions.stretches import members


class WaitPolicy(Facts):
    """Base of rules for how many upstream keys a rolled-up partition waits for."""

    def is_satisfied(self, matched: int, expected: int) -> bool:
        """Return whether so many of the expected keys are enough."""
        raise NotImplementedError


class WaitForAll(WaitPolicy):
    """All keys of the window."""

    def is_satisfied(self, matched: int, expected: int) -> bool:
        """Return whether all are there."""
        return matched == expected


class MinimumCount(WaitPolicy):
    """At least ``n`` keys; negative: all but so many."""

    def __init__(self, n: int) -> None:
        if not isinstance(n, int) or isinstance(n, bool) or n == 0:
            raise ValueError(f"MinimumCount takes an integer that is not 0, not {n!r}")
        self.n = n

    def facts(self) -> dict[str, Any]:
        """Return the number."""
        return {"n": self.n}

    def is_satisfied(self, matched: int, expected: int) -> bool:
        """Return whether the number is reached."""
        return matched >= (self.n if self.n > 0 else max(0, expected + self.n))


class Window(Facts, ABC):
    """Base of stretches of time, or sets of keys, that one partition key stands for."""

    class Direction(StrEnum):
        """On which side of the key the window lies."""

        FORWARD = "forward"
        BACKWARD = "backward"

    #: What ``to_upstream`` is given; a mapper whose keys decode to something else does not go with the window.
    expected_decoded_type: ClassVar[type] = str

    def __init__(self, *, direction: Any = Direction.FORWARD) -> None:
        self.direction = Window.Direction(direction)

    def facts(self) -> dict[str, Any]:
        """Return the direction."""
        return {"direction": str(self.direction)}

    @abstractmethod
    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        """Return the parts of the period that a decoded key stands for."""


class _TimeWindow(Window):
    """A stretch of time that is cut into equal steps, or into days and months."""

    expected_decoded_type: ClassVar[type] = datetime

    def to_upstream(self, period_start: datetime) -> list[datetime]:
        """Return the starts of the parts. Raises ``ValueError`` for a month that does not begin on the first."""
        return members(_kind(self), period_start, backward=self.direction is Window.Direction.BACKWARD)


def _kind(window: Window) -> str:
    """Return the name of the platform's own class that a window is, or that an author's class is derived from."""
    return next(base.__name__ for base in type(window).__mro__ if base.__module__ == __name__)


class HourWindow(_TimeWindow):
    """An hour of 60 minutes."""


class DayWindow(_TimeWindow):
    """A day of 24 hours."""


class WeekWindow(_TimeWindow):
    """A week of 7 days."""


class MonthWindow(_TimeWindow):
    """A month of as many days as it has."""


class QuarterWindow(_TimeWindow):
    """A quarter of 3 months."""


class YearWindow(_TimeWindow):
    """A year of 12 months."""


class SegmentWindow(Window):
    """A fixed set of keys."""

    def __init__(self, segments: Iterable[str]) -> None:
        super().__init__()
        listed = list(segments)
        wrong = [item for item in listed if not isinstance(item, str) or not item]
        if wrong or not listed:
            raise ValueError(f"SegmentWindow takes one or more texts that are not empty, not {(wrong or listed)!r:.100}")
        self.segments: Collection[str] = sorted(set(listed))

    def facts(self) -> dict[str, Any]:
        """Return the keys."""
        return {"segments": list(self.segments)}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Build it from its keys; the direction, which was stored once, means nothing."""
        return cls(data["segments"])

    def to_upstream(self, decoded_downstream: Any) -> list[str]:
        """Return the keys, whatever the period is."""
        return list(self.segments)
