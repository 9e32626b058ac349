"""Decides the runs of a cron schedule whose runs carry a partition key made from a date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

from orchestrator.sdk.definitions.timetables.base import AirflowTimetableInvalid, DagRunInfo, Json, TimeRestriction
from orchestrator.sdk.definitions.timetables.dst import utc_to_wall, wall_to_utc
from orchestrator.sdk.definitions.timetables.instants import as_utc, encode_zone, zone_of
from orchestrator.sdk.definitions.timetables.trigger import (
    CronTriggerTimetable,
    decode_run_immediately,
    encode_run_immediately,
)

LONGEST_KEY = 250
# Its month and day have the longest names in English.
_WORDIEST_DATE = datetime(2026, 9, 30, 23, 59, 59, 999999, tzinfo=UTC)


class CronPartitionTimetable(CronTriggerTimetable):
    """Fires by cron; each run gets the partition that lies ``run_offset`` firings away.

    :param cron: cron expression or preset.
    :param timezone: name or tzinfo in which the expression is read and the key is written.
    :param run_offset: 0 the firing itself, -1 the one before, 1 the one after.
    :param run_immediately: as for ``CronTriggerTimetable``.
    :param key_format: ``strftime`` pattern that turns the partition's date into its key.
    """

    partitioned = True

    def __init__(
        self,
        cron: str,
        *,
        timezone: str | tzinfo,
        run_offset: int | None = None,
        run_immediately: bool | timedelta | None = False,
        key_format: str = "%Y-%m-%dT%H:%M:%S",
    ) -> None:
        super().__init__(cron, timezone, run_immediately=run_immediately)
        if run_offset is not None and not isinstance(run_offset, int):
            raise ValueError(f"run_offset must be an integer, not {run_offset!r}: other offsets are not supported yet")
        self.run_offset = run_offset or 0
        self.key_format = key_format

    def validate(self) -> None:
        """Raise ``AirflowTimetableInvalid`` for a wrong expression, and for keys that no run could have."""
        super().validate()
        if (length := len(self.partition_key(_WORDIEST_DATE))) > LONGEST_KEY:
            raise AirflowTimetableInvalid(f"key_format makes keys of {length} characters; at most {LONGEST_KEY} are allowed.")

    def serialize(self) -> dict[str, Json]:
        """Expression, zone, rule for the first run, offset and key format."""
        return {
            "expression": self.expression,
            "timezone": encode_zone(self.timezone),
            "run_immediately": encode_run_immediately(self.run_immediately),
            "run_offset": self.run_offset,
            "key_format": self.key_format,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read what ``serialize`` wrote."""
        return cls(
            data["expression"],
            timezone=zone_of(data["timezone"]),
            run_offset=data["run_offset"],
            run_immediately=decode_run_immediately(data.get("run_immediately", False)),
            key_format=data["key_format"],
        )

    def next_dagrun_info_v2(self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction) -> DagRunInfo | None:
        """The firing after the last run, with its partition and without a data interval."""
        fires = self._next_firing(last_dagrun_info.run_after if last_dagrun_info else None, restriction)
        if fires is None:
            return None
        date = self.partition_date(fires)
        return DagRunInfo(run_after=fires, data_interval=None, partition_date=date, partition_key=self.partition_key(date))

    def iter_partition_dagrun_infos(self, *, earliest: datetime, latest: datetime) -> Iterator[DagRunInfo]:
        """Yield one run per firing whose partition date lies in the bounds (inclusive), read as wall times of the zone."""
        date = self._align_to_next(self.localize_partition_datetime(earliest))
        last = self.localize_partition_datetime(latest)
        while date <= last:
            yield DagRunInfo(date, None, date, self.partition_key(date))
            date = self._get_next(date)

    def localize_partition_datetime(self, moment: datetime) -> datetime:
        """Return the instant at which a clock in the timetable's zone shows what ``moment`` shows."""
        return wall_to_utc(moment.replace(tzinfo=None), self.timezone)

    def partition_date(self, fires: datetime) -> datetime:
        """Return the instant that the partition of a firing stands for."""
        date = as_utc(fires)
        step = self._get_next if self.run_offset > 0 else self._get_prev
        for _ in range(abs(self.run_offset)):
            date = step(date)
        return date

    def partition_key(self, date: datetime) -> str:
        """Return the key of a partition date, written in the timetable's zone."""
        return utc_to_wall(as_utc(date), self.timezone).strftime(self.key_format)
