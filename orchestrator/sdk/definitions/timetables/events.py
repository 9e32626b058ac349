"""Decides the runs of a schedule that is a list of dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, DataInterval, Json, TimeRestriction, Timetable
from orchestrator.sdk.definitions.timetables.instants import as_utc, utcnow


class EventsTimetable(Timetable):
    """Runs at each of the given dates.

    :param event_dates: aware datetimes; a date named twice gives one run.
    :param restrict_to_events: whether a manual run takes the interval of the latest event instead of its own moment.
    :param presorted: kept for compatibility; dates are sorted in any case.
    :param description: shown instead of the generated sentence.
    """

    def __init__(
        self,
        event_dates: Iterable[datetime],
        restrict_to_events: bool = False,
        presorted: bool = False,
        description: str | None = None,
    ) -> None:
        self.event_dates = sorted(event_dates, key=as_utc)
        self.restrict_to_events = restrict_to_events
        self.description = self._sentence() if description is None else description
        self._summary = f"{len(self.event_dates)} events" if description is None else description

    def _sentence(self) -> str:
        if not self.event_dates:
            return "No events"
        first, last = self.event_dates[0].isoformat(), self.event_dates[-1].isoformat()
        return f"{len(self.event_dates)} events between {first} and {last}"

    @property
    def summary(self) -> str:
        """How many events, or the author's description."""
        return self._summary

    def serialize(self) -> dict[str, Json]:
        """The dates and the two texts."""
        return {
            "event_dates": [date.isoformat() for date in self.event_dates],
            "restrict_to_events": self.restrict_to_events,
            "description": self.description,
            "_summary": self._summary,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Json]) -> Self:
        """Read what ``serialize`` wrote."""
        dates = [datetime.fromisoformat(text) for text in data["event_dates"]]
        timetable = cls(dates, restrict_to_events=data["restrict_to_events"], description=data["description"])
        timetable._summary = data["_summary"]
        return timetable

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """The moment itself, or the latest event up to it (the first event before all events)."""
        if not self.restrict_to_events or not self.event_dates:
            return DataInterval.exact(as_utc(run_after))
        past = [date for date in self.event_dates if date <= run_after]
        return DataInterval.exact(as_utc(past[-1] if past else self.event_dates[0]))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The first event after the last run and not before the start date; without catch-up not before now."""
        earliest = restriction.earliest
        if not restriction.catchup:
            earliest = max(utcnow(), earliest) if earliest else utcnow()
        last = last_automated_data_interval.end if last_automated_data_interval else None
        for date in self.event_dates:
            if (earliest is None or date >= earliest) and (last is None or date > last):
                too_late = restriction.latest is not None and date > restriction.latest
                return None if too_late else DagRunInfo.exact(as_utc(date))
        return None
