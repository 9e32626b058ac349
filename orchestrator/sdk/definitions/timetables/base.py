"""Decides what every timetable answers: when the next run is due and which interval of data it covers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self

from orchestrator.sdk.exceptions import AirflowTimetableInvalid

__all__ = ["AirflowTimetableInvalid", "DagRunInfo", "DataInterval", "Json", "TimeRestriction", "Timetable"]

Json = Any


class DataInterval(NamedTuple):
    """The stretch of data a run works on; both ends are aware UTC instants."""

    start: datetime
    end: datetime

    @classmethod
    def exact(cls, at: datetime) -> DataInterval:
        """Return the interval of length zero at one instant."""
        return cls(start=at, end=at)


class TimeRestriction(NamedTuple):
    """The bounds of a DAG: start date, end date, and whether missed runs are made up for."""

    earliest: datetime | None
    latest: datetime | None
    catchup: bool


class DagRunInfo(NamedTuple):
    """One future run: the instant it may start, its data interval, and its partition if it has one."""

    run_after: datetime
    data_interval: DataInterval | None
    partition_date: datetime | None = None
    partition_key: str | None = None

    @classmethod
    def exact(cls, at: datetime) -> DagRunInfo:
        """Return the run at one instant with an interval of length zero."""
        return cls(run_after=at, data_interval=DataInterval.exact(at))

    @classmethod
    def interval(cls, start: datetime, end: datetime) -> DagRunInfo:
        """Return the run of an interval; it may start when the interval ends."""
        return cls(run_after=end, data_interval=DataInterval(start, end))

    @property
    def logical_date(self) -> datetime | None:
        """The start of the data interval; None for a partitioned run."""
        return self.data_interval.start if self.data_interval else None


class Timetable:
    """The interface of all timetables; an author's own timetable derives from it."""

    description: str = ""
    """One sentence for people; empty where there is none."""
    periodic: bool = True
    """Whether runs recur; False for ``@once`` and the like."""
    can_be_scheduled: bool = True
    """False when the timetable never creates a run by itself."""
    run_ordering: Sequence[str] = ("data_interval_end", "logical_date")
    """Columns of the run that put the runs of a DAG in order."""
    active_runs_limit: int | None = None
    """Upper bound for ``max_active_runs`` that the schedule itself demands."""
    partitioned: bool = False
    partitioned_at_runtime: bool = False
    type_name: ClassVar[str] = ""
    """The name in the serialized form; empty for the class name itself."""

    @property
    def summary(self) -> str:
        """A few words for lists, such as the cron expression."""
        return type(self).__name__

    def validate(self) -> None:
        """Raise ``AirflowTimetableInvalid`` if this timetable can never work."""

    def serialize(self) -> dict[str, Json]:
        """Return the constructor's facts as JSON types."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Build the timetable from what ``serialize`` returned."""
        return cls()

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return the data interval of a run that somebody triggers at ``run_after``."""
        raise NotImplementedError(f"{type(self).__name__} does not define infer_manual_data_interval()")

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the next run after the given interval (None: no run yet), or None when there is none.

        Raises croniter's errors when a cron expression has no matching date.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define next_dagrun_info()")

    def next_dagrun_info_v2(self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction) -> DagRunInfo | None:
        """Return the next run after the given one; the form that partitioned timetables need."""
        last = last_dagrun_info.data_interval if last_dagrun_info else None
        return self.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)

    def __eq__(self, other: object) -> bool:
        """Two timetables are equal when they have the same type and the same facts."""
        if type(other) is not type(self):
            return NotImplemented
        return self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash((type(self).__name__, repr(sorted(self.serialize().items()))))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.summary}>"
