"""Decides the runs of schedules that fire at a moment and carry a data interval chosen apart from it."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Self

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, DataInterval, Json, TimeRestriction, Timetable
from orchestrator.sdk.definitions.timetables.cron import CronSchedule, also_expression
from orchestrator.sdk.definitions.timetables.delta import DeltaSchedule
from orchestrator.sdk.definitions.timetables.deltas import before, decode_delta, encode_delta
from orchestrator.sdk.definitions.timetables.instants import as_utc, encode_zone, utcnow, zone_of

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.timetables.deltas import Delta

MINIMUM_GRACE = timedelta(minutes=5)


class TriggerTimetable(Timetable):
    """What the trigger timetables share; a subclass brings the steps of its schedule."""

    interval: Delta = timedelta()

    def _get_next(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _get_prev(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _align_to_next(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _align_to_prev(self, current: datetime) -> datetime:
        raise NotImplementedError

    def _first_run_without_start(self, now: datetime) -> datetime:
        """Return the first run of a DAG that has no start date."""
        return self._align_to_prev(now)

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """The interval ends where the run starts."""
        run_after = as_utc(run_after)
        return DataInterval(as_utc(before(run_after, self.interval)), run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The step after the last run; without catch-up never one that a later step has overtaken."""
        last = last_automated_data_interval.end if last_automated_data_interval else None
        fires = self._next_firing(last, restriction)
        if fires is None:
            return None
        return DagRunInfo.interval(as_utc(before(fires, self.interval)), fires)

    def _next_firing(self, last: datetime | None, restriction: TimeRestriction) -> datetime | None:
        """Return the next firing after ``last`` (None: no run yet) within the bounds, or None past the end date."""
        earliest, now = restriction.earliest, utcnow()
        firings = []
        if last is not None:
            firings.append(self._get_next(last))
        elif earliest is None:
            firings.append(self._first_run_without_start(now))
        if earliest is not None and (last is None or not restriction.catchup):
            firings.append(self._align_to_next(earliest))
        if not restriction.catchup:
            firings.append(self._align_to_prev(now))
        fires = max(firings)
        return None if restriction.latest is not None and restriction.latest < fires else fires


class DeltaTriggerTimetable(DeltaSchedule, TriggerTimetable):
    """Fires every ``delta``.

    :param delta: time between two runs.
    :param interval: length of each run's data interval; zero by default.
    """

    def __init__(self, delta: Delta, *, interval: Delta = timedelta()) -> None:
        super().__init__(delta)
        self.interval = interval

    def serialize(self) -> dict[str, Json]:
        """Both durations."""
        return {"delta": encode_delta(self.delta), "interval": encode_delta(self.interval)}

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read both durations."""
        return cls(decode_delta(data["delta"]), interval=decode_delta(data["interval"]))


class CronTriggerTimetable(CronSchedule, TriggerTimetable):
    """Fires whenever a cron expression matches; ``schedule="0 0 * * *"`` means this timetable.

    :param cron: cron expression or preset.
    :param timezone: name or tzinfo in which the expression is read.
    :param interval: length of each run's data interval; zero by default.
    :param run_immediately: matters only for a DAG without a start date and without runs. True runs the most recent
        firing at once, a ``timedelta`` does so if that firing is no older, False (and None) if it is no older than a
        tenth of the gap between two firings, at least five minutes. Otherwise the first run is the next firing.
    :param dst_gap: see ``CronSchedule``; an addition to Airflow's class.
    :param dst_overlap: likewise.
    """

    @also_expression
    def __init__(
        self,
        cron: str,
        timezone: str | tzinfo,
        *,
        interval: Delta = timedelta(),
        run_immediately: bool | timedelta | None = False,
        dst_gap: str | None = None,
        dst_overlap: str | None = None,
    ) -> None:
        super().__init__(cron, timezone, dst_gap=dst_gap, dst_overlap=dst_overlap)
        self.interval = interval
        self.run_immediately = run_immediately

    def serialize(self) -> dict[str, Json]:
        """Expression, zone, interval and the rule for the first run."""
        return {
            "expression": self.expression,
            "timezone": encode_zone(self.timezone),
            "interval": encode_delta(self.interval),
            "run_immediately": encode_run_immediately(self.run_immediately),
            **self._dst_words(),
        }

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read what ``serialize`` wrote."""
        return cls(
            data["expression"],
            timezone=zone_of(data["timezone"]),
            interval=decode_delta(data["interval"]),
            run_immediately=decode_run_immediately(data.get("run_immediately", False)),
            dst_gap=data.get("dst_gap"),
            dst_overlap=data.get("dst_overlap"),
        )

    def _first_run_without_start(self, now: datetime) -> datetime:
        past, future = self._align_to_prev(now), self._align_to_next(now)
        if self.run_immediately is True:
            return past
        grace = self.run_immediately
        if not isinstance(grace, timedelta):
            grace = max((future - past) / 10, MINIMUM_GRACE)
        return past if now - past <= grace else future


def encode_run_immediately(value: bool | timedelta | None) -> Json:
    """Return seconds for a timedelta, the value itself otherwise."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def decode_run_immediately(value: Json) -> bool | timedelta | None:
    """Read what ``encode_run_immediately`` wrote."""
    return value if value is None or isinstance(value, bool) else timedelta(seconds=value)
