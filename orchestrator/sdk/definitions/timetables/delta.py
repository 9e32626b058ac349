"""Decides when a schedule of fixed or calendar steps (timedelta, relativedelta) fires."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.sdk.definitions.timetables.base import AirflowTimetableInvalid, Timetable
from orchestrator.sdk.definitions.timetables.deltas import after, before
from orchestrator.sdk.definitions.timetables.instants import as_utc

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.timetables.deltas import Delta


class DeltaSchedule(Timetable):
    """The steps of a delta, counted from wherever the schedule begins; every instant is a boundary.

    :param delta: a positive ``timedelta`` or ``relativedelta``.
    """

    def __init__(self, delta: Delta) -> None:
        self.delta = delta

    @property
    def summary(self) -> str:
        """The delta as Python writes it."""
        return str(self.delta)

    def validate(self) -> None:
        """Raise ``AirflowTimetableInvalid`` if the delta does not lead forward."""
        now = datetime.now()
        if after(now, self.delta) <= now:
            raise AirflowTimetableInvalid(f"schedule interval must be positive, not {self.delta!r}")

    def _get_next(self, current: datetime) -> datetime:
        return as_utc(after(as_utc(current), self.delta))

    def _get_prev(self, current: datetime) -> datetime:
        return as_utc(before(as_utc(current), self.delta))

    def _align_to_next(self, current: datetime) -> datetime:
        return as_utc(current)

    def _align_to_prev(self, current: datetime) -> datetime:
        return as_utc(current)
