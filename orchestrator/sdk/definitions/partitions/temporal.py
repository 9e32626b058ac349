"""Decides the mappers of keys that are dates, cut to a unit of time."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Any, ClassVar

from orchestrator.sdk.definitions.partitions.base import PartitionMapper
from orchestrator.sdk.definitions.partitions.formats import reader
from orchestrator.sdk.definitions.timetables.dst import wall_to_utc
from orchestrator.sdk.definitions.timetables.instants import zone_of

_MIDNIGHT: dict[str, Any] = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}


class TemporalMapper(PartitionMapper):
    """A key that is a date, cut to a unit of time; subclasses say how with ``normalize``."""

    expected_decoded_type: ClassVar[type] = datetime
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
        self._zone  # noqa: B018  an unknown zone is refused where it is written
        self.output_format = output_format or self.default_output_format

    def facts(self) -> dict[str, Any]:
        """Return zone and formats."""
        zone = getattr(self.timezone, "name", None) or str(self.timezone or "UTC")
        return {"timezone": zone, "input_format": self.input_format, "output_format": self.output_format, **super().facts()}

    @property
    def _zone(self) -> Any:
        return zone_of(getattr(self.timezone, "name", None) or str(self.timezone or "UTC"))

    def to_downstream(self, key: str) -> str:
        """Return the key of the period that an upstream key lies in. Raises ``ValueError`` for what is no date."""
        moment, zone = datetime.strptime(key, self.input_format), self._zone
        moment = (wall_to_utc(moment, zone) if moment.tzinfo is None else moment).astimezone(zone)
        return self.format(self.normalize(moment))

    @abstractmethod
    def normalize(self, dt: datetime) -> datetime:
        """Return the start of the period that a moment lies in."""

    def format(self, dt: datetime) -> str:
        """Return the downstream key of a period."""
        return dt.strftime(self.output_format)

    def decode_downstream(self, downstream_key: str) -> datetime:
        """Return the wall time (or instant, where the format has a zone) that a key was written from. Raises ``ValueError``."""
        return datetime.strptime(downstream_key, self.output_format)

    def encode_upstream(self, decoded: datetime) -> str:
        """Return the key that an upstream asset has for a moment."""
        zone = self._zone
        wall = decoded.astimezone(zone).replace(tzinfo=None) if decoded.tzinfo is not None else decoded
        return wall_to_utc(wall, zone).astimezone(zone).strftime(self.input_format)

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return the instant at which the period begins. Raises ``ValueError``."""
        start = self.normalize(self.decode_downstream(downstream_key))
        return wall_to_utc(start, self._zone) if start.tzinfo is None else start


class StartOfHourMapper(TemporalMapper):
    """The hour of the date."""

    default_output_format = "%Y-%m-%dT%H"

    def normalize(self, dt: datetime) -> datetime:
        """Return the start of the hour."""
        return dt.replace(minute=0, second=0, microsecond=0)


class StartOfDayMapper(TemporalMapper):
    """The day of the date."""

    def normalize(self, dt: datetime) -> datetime:
        """Return midnight."""
        return dt.replace(**_MIDNIGHT)


class StartOfWeekMapper(TemporalMapper):
    """The week of the date, which begins on Monday."""

    default_output_format = "%Y-%m-%d (W%V)"

    def normalize(self, dt: datetime) -> datetime:
        """Return Monday."""
        return (dt - timedelta(days=dt.weekday())).replace(**_MIDNIGHT)

    def decode_downstream(self, downstream_key: str) -> datetime:
        """Return the wall time, which ``strptime`` cannot read beside the number of the week. Raises ``ValueError``."""
        parts = _parts(self, downstream_key)
        return datetime(int(parts["Y"]), int(parts["m"]), int(parts["d"]))


class StartOfMonthMapper(TemporalMapper):
    """The month of the date."""

    default_output_format = "%Y-%m"

    def normalize(self, dt: datetime) -> datetime:
        """Return the first of the month."""
        return dt.replace(day=1, **_MIDNIGHT)


class StartOfQuarterMapper(TemporalMapper):
    """The quarter of the date."""

    default_output_format = "%Y-Q{quarter}"

    def normalize(self, dt: datetime) -> datetime:
        """Return the first of the quarter."""
        return dt.replace(month=(dt.month - 1) // 3 * 3 + 1, day=1, **_MIDNIGHT)

    def format(self, dt: datetime) -> str:
        """Return the key, with the number of the quarter."""
        return dt.strftime(self.output_format).replace("{quarter}", str((dt.month - 1) // 3 + 1))

    def decode_downstream(self, downstream_key: str) -> datetime:
        """Return the wall time, which ``strptime`` cannot read from a quarter. Raises ``ValueError``."""
        parts = _parts(self, downstream_key)
        return datetime(int(parts["Y"]), int(parts["quarter"]) * 3 - 2, 1)


class StartOfYearMapper(TemporalMapper):
    """The year of the date."""

    default_output_format = "%Y"

    def normalize(self, dt: datetime) -> datetime:
        """Return the first of January."""
        return dt.replace(month=1, day=1, **_MIDNIGHT)


class _Parts(dict[str, str]):
    """The parts of a key by their directive; one that is missing says which key did not fit which format."""

    def __init__(self, found: dict[str, str], key: str, mapper: TemporalMapper) -> None:
        super().__init__(found)
        self.why = f"key {key!r} does not fit the output format {mapper.output_format!r} of {type(mapper).__name__}"

    def __missing__(self, name: str) -> str:
        raise ValueError(self.why)


def _parts(mapper: TemporalMapper, key: str) -> _Parts:
    found = reader(mapper.output_format).fullmatch(key)
    return _Parts(found.groupdict() if found else {}, key, mapper)
