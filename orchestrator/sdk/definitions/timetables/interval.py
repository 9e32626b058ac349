"""Decides the runs of schedules that cut time into data intervals and run when an interval ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, DataInterval, Json, TimeRestriction, Timetable
from orchestrator.sdk.definitions.timetables.cron import CronSchedule
from orchestrator.sdk.definitions.timetables.delta import DeltaSchedule
from orchestrator.sdk.definitions.timetables.deltas import decode_delta, encode_delta
from orchestrator.sdk.definitions.timetables.instants import as_utc, encode_zone, utcnow, zone_of

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.timetables.deltas import Delta

_SECONDS = {"years": 365 * 86400, "months": 30 * 86400, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


class DataIntervalTimetable(Timetable):
    """What the interval timetables share; a subclass brings the steps and the rule for skipping missed intervals."""

    def _get_next(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _get_prev(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _align_to_next(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _align_to_prev(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _skip_missed(self, earliest: datetime | None, now: datetime) -> datetime:
        """Return the start of the first interval that may run without catch-up."""
        raise NotImplementedError

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The interval that follows the last one; without catch-up not before the most recent complete one."""
        earliest = restriction.earliest
        if not restriction.catchup:
            earliest = self._skip_missed(earliest, utcnow())
        elif earliest is not None:
            earliest = self._align_to_next(earliest)
        start = self._start_after(last_automated_data_interval, earliest)
        if start is None or (restriction.latest is not None and start > restriction.latest):
            return None
        return DagRunInfo.interval(start, self._get_next(start))

    def _start_after(self, last: DataInterval | None, earliest: datetime | None) -> datetime | None:
        if last is None:
            return earliest
        start = self._align_to_prev(last.end)  # the schedule may have changed since the last run
        if earliest is not None:
            start = max(start, earliest)
        if start > last.start:
            return start
        # A coarser schedule can land on the last run again, whose logical date is taken: go one step further.
        start = self._get_next(start)
        if start <= last.start:
            raise ValueError(f"{self!r} does not get past {last.start.isoformat()}; make its steps longer")
        return start


class CronDataIntervalTimetable(CronSchedule, DataIntervalTimetable):
    """Cuts time at each firing of a cron expression; each interval runs when it is over.

    :param cron: cron expression or preset.
    :param timezone: name or tzinfo in which the expression is read.
    """

    def serialize(self) -> dict[str, Json]:
        """Expression and zone."""
        return {"expression": self.expression, "timezone": encode_zone(self.timezone), **self._dst_words()}

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read what ``serialize`` wrote."""
        words = {name: data.get(name) for name in ("dst_gap", "dst_overlap")}
        return cls(data["expression"], zone_of(data["timezone"]), **words)

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """The last complete interval before ``run_after``."""
        end = self._align_to_prev(run_after)
        return DataInterval(start=self._get_prev(end), end=end)

    def _skip_missed(self, earliest: datetime | None, now: datetime) -> datetime:
        # At a boundary the interval that ends there runs; otherwise the one that ended last does.
        previous = self._get_prev(now)
        start = previous if self._get_next(previous) == now else self._get_prev(previous)
        return start if earliest is None else max(start, self._align_to_next(earliest))


class DeltaDataIntervalTimetable(DeltaSchedule, DataIntervalTimetable):
    """Cuts time into steps of a delta; each interval runs when it is over.

    :param delta: length of an interval.
    """

    def serialize(self) -> dict[str, Json]:
        """The duration."""
        return {"delta": encode_delta(self.delta)}

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read what ``serialize`` wrote."""
        return cls(decode_delta(data["delta"]))

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """One delta that ends at ``run_after``."""
        return DataInterval(start=self._get_prev(run_after), end=as_utc(run_after))

    def _skip_missed(self, earliest: datetime | None, now: datetime) -> datetime:
        start = self._get_prev(self._boundary_before(now, earliest or now))
        return start if earliest is None else max(start, as_utc(earliest))

    def _boundary_before(self, now: datetime, anchor: datetime) -> datetime:
        """Return the last boundary at or before now.

        Steps of fixed length lie on a grid from the epoch. Months and years have no fixed length; they are walked from
        the start date, one at a time, because a day that a short month clamps stays clamped (31 Jan, 28 Feb, 28 Mar).
        """
        if not isinstance(self.delta, timedelta) and (self.delta.months or self.delta.years):
            return self._walk(as_utc(anchor), now)
        seconds, moment = _seconds_of(self.delta), now.timestamp()
        return datetime.fromtimestamp(moment - moment % seconds, tz=UTC)

    def _walk(self, boundary: datetime, now: datetime) -> datetime:
        while (following := self._get_next(boundary)) <= now:
            boundary = following
        return boundary


def _seconds_of(delta: Delta) -> float:
    if isinstance(delta, timedelta):
        return delta.total_seconds()
    return float(sum(getattr(delta, name) * seconds for name, seconds in _SECONDS.items()))
