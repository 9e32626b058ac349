"""Decides the definitions of partition mappers, windows and wait policies; what they compute is the server's."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any


class _Facts:
    """Something that is stored as its class name and its facts."""

    def facts(self) -> dict[str, Any]:
        """Return what the constructor was given."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """Return class name and facts as JSON types."""
        return {"type": type(self).__name__, **{name: _plain(value) for name, value in self.facts().items()}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.facts().items())})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.serialize() == self.serialize()

    def __hash__(self) -> int:
        return hash(repr(self))


def _plain(value: Any) -> Any:
    if isinstance(value, _Facts):
        return value.serialize()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


class PartitionMapper(_Facts):
    """Base of mappers from a partition key of an asset to one of the DAG."""

    is_rollup = False

    def __init__(self, *, max_downstream_keys: int | None = None) -> None:
        self.max_downstream_keys = max_downstream_keys

    def facts(self) -> dict[str, Any]:
        """Return the limit."""
        return {"max_downstream_keys": self.max_downstream_keys}


class IdentityMapper(PartitionMapper):
    """The same key."""


class FixedKeyMapper(PartitionMapper):
    """Always the same key."""

    def __init__(self, downstream_key: str, *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        if not isinstance(downstream_key, str) or not downstream_key:
            raise ValueError(f"downstream_key must be a text that is not empty, not {downstream_key!r}")
        self.downstream_key = downstream_key

    def facts(self) -> dict[str, Any]:
        """Return the key."""
        return {"downstream_key": self.downstream_key, **super().facts()}


class AllowedKeyMapper(PartitionMapper):
    """The same key, if it is a known one."""

    def __init__(self, allowed_keys: list[str], *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.allowed_keys = list(allowed_keys)

    def facts(self) -> dict[str, Any]:
        """Return the keys."""
        return {"allowed_keys": self.allowed_keys, **super().facts()}


class ChainMapper(PartitionMapper):
    """Mappers one after the other."""

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers = [mapper0, mapper1, *mappers]

    def facts(self) -> dict[str, Any]:
        """Return the mappers."""
        return {"mappers": self.mappers, **super().facts()}


class ProductMapper(PartitionMapper):
    """One mapper per part of a key that is joined by ``delimiter``."""

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        delimiter: str = "|",
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers, self.delimiter = [mapper0, mapper1, *mappers], delimiter

    def facts(self) -> dict[str, Any]:
        """Return mappers and delimiter."""
        return {"mappers": self.mappers, "delimiter": self.delimiter, **super().facts()}


class _TemporalMapper(PartitionMapper):
    """A key that is a date, cut to a unit of time."""

    default_output_format = "%Y-%m-%d"

    def __init__(
        self,
        *,
        max_downstream_keys: int | None = None,
        timezone: Any = "UTC",
        input_format: str = "%Y-%m-%dT%H:%M:%S",
        output_format: str | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.timezone, self.input_format = timezone, input_format
        self.output_format = output_format or self.default_output_format

    def facts(self) -> dict[str, Any]:
        """Return zone and formats."""
        zone = getattr(self.timezone, "name", None) or str(self.timezone)
        return {"timezone": zone, "input_format": self.input_format, "output_format": self.output_format, **super().facts()}


class StartOfHourMapper(_TemporalMapper):
    """The hour of the date."""

    default_output_format = "%Y-%m-%dT%H"


class StartOfDayMapper(_TemporalMapper):
    """The day of the date."""


class StartOfWeekMapper(_TemporalMapper):
    """The week of the date."""

    default_output_format = "%Y-%m-%d (W%V)"


class StartOfMonthMapper(_TemporalMapper):
    """The month of the date."""

    default_output_format = "%Y-%m"


class StartOfQuarterMapper(_TemporalMapper):
    """The quarter of the date."""

    default_output_format = "%Y-Q{quarter}"


class StartOfYearMapper(_TemporalMapper):
    """The year of the date."""

    default_output_format = "%Y"


class WaitPolicy(_Facts):
    """Base of rules for how many upstream keys a rolled-up partition waits for."""


class WaitForAll(WaitPolicy):
    """All keys of the window."""


class MinimumCount(WaitPolicy):
    """At least ``n`` keys; negative: all but so many."""

    def __init__(self, n: int) -> None:
        if not isinstance(n, int) or isinstance(n, bool) or n == 0:
            raise ValueError(f"MinimumCount takes an integer that is not 0, not {n!r}")
        self.n = n

    def facts(self) -> dict[str, Any]:
        """Return the number."""
        return {"n": self.n}


class Window(_Facts):
    """Base of stretches of time that one partition key stands for."""

    class Direction(StrEnum):
        """On which side of the key the window lies."""

        FORWARD = "forward"
        BACKWARD = "backward"

    def __init__(self, *, direction: Any = Direction.FORWARD) -> None:
        self.direction = Window.Direction(direction)

    def facts(self) -> dict[str, Any]:
        """Return the direction."""
        return {"direction": str(self.direction)}


class HourWindow(Window):
    """An hour."""


class DayWindow(Window):
    """A day."""


class WeekWindow(Window):
    """A week."""


class MonthWindow(Window):
    """A month."""


class QuarterWindow(Window):
    """A quarter."""


class YearWindow(Window):
    """A year."""


class SegmentWindow(Window):
    """A fixed set of keys."""

    def __init__(self, segments: Iterable[str]) -> None:
        super().__init__()
        self.segments = list(segments)

    def facts(self) -> dict[str, Any]:
        """Return the keys."""
        return {"segments": self.segments}


class RollupMapper(PartitionMapper):
    """Many upstream keys to one: the keys of a window are waited for."""

    is_rollup = True

    def __init__(
        self,
        *,
        max_downstream_keys: int | None = None,
        upstream_mapper: PartitionMapper,
        window: Window,
        wait_policy: WaitPolicy | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.upstream_mapper, self.window, self.wait_policy = upstream_mapper, window, wait_policy or WaitForAll()

    def facts(self) -> dict[str, Any]:
        """Return mapper, window and policy."""
        return {
            "upstream_mapper": self.upstream_mapper,
            "window": self.window,
            "wait_policy": self.wait_policy,
            **super().facts(),
        }


class FanOutMapper(PartitionMapper):
    """One upstream key to the many keys of a window."""

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Window,
        downstream_mapper: PartitionMapper | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.upstream_mapper, self.window, self.downstream_mapper = upstream_mapper, window, downstream_mapper

    def facts(self) -> dict[str, Any]:
        """Return mappers and window."""
        return {
            "upstream_mapper": self.upstream_mapper,
            "window": self.window,
            "downstream_mapper": self.downstream_mapper,
            **super().facts(),
        }
