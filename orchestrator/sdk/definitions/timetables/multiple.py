"""Decides the runs of several cron expressions in one DAG: whichever fires next."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Self

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, DataInterval, Json, TimeRestriction, Timetable
from orchestrator.sdk.definitions.timetables.deltas import decode_delta
from orchestrator.sdk.definitions.timetables.instants import utcnow, zone_of
from orchestrator.sdk.definitions.timetables.trigger import CronTriggerTimetable, decode_run_immediately

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.timetables.deltas import Delta


class MultipleCronTriggerTimetable(Timetable):
    """Fires whenever any of the expressions matches, at most once per instant.

    :param crons: one or more cron expressions or presets.
    :param timezone: name or tzinfo for all of them.
    :param interval: length of each run's data interval.
    :param run_immediately: as for ``CronTriggerTimetable``.
    """

    def __init__(
        self,
        *crons: str,
        timezone: str | tzinfo,
        interval: Delta = timedelta(),
        run_immediately: bool | timedelta | None = False,
    ) -> None:
        if not crons:
            raise ValueError("cron expression required")
        self.timetables = [
            CronTriggerTimetable(cron, timezone, interval=interval, run_immediately=run_immediately) for cron in crons
        ]

    @property
    def summary(self) -> str:
        """The expressions, separated by commas."""
        return ", ".join(timetable.summary for timetable in self.timetables)

    @property
    def description(self) -> str:  # type: ignore[override]
        """The sentences of all expressions, separated by commas."""
        return ", ".join(timetable.description for timetable in self.timetables)

    def validate(self) -> None:
        """Raise ``AirflowTimetableInvalid`` for the first expression that is not one."""
        for timetable in self.timetables:
            timetable.validate()

    def serialize(self) -> dict[str, Json]:
        """The expressions and what they share."""
        shared = self.timetables[0].serialize()
        del shared["expression"]
        return {"expressions": [timetable.expression for timetable in self.timetables], **shared}

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read what ``serialize`` wrote."""
        return cls(
            *data["expressions"],
            timezone=zone_of(data["timezone"]),
            interval=decode_delta(data["interval"]),
            run_immediately=decode_run_immediately(data["run_immediately"]),
        )

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """All expressions share one interval length, so any of them answers."""
        return self.timetables[0].infer_manual_data_interval(run_after=run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """With catch-up the earliest of all; without, the latest that is due, else the earliest to come."""
        found = [
            timetable.next_dagrun_info(last_automated_data_interval=last_automated_data_interval, restriction=restriction)
            for timetable in self.timetables
        ]
        now = None if restriction.catchup else utcnow().timestamp()
        return min(found, key=lambda info: _rank(info, now))


def _rank(info: DagRunInfo | None, now: float | None) -> float:
    if info is None or info.logical_date is None:
        return math.inf
    at = info.logical_date.timestamp()
    return -at if now is not None and at <= now else at
