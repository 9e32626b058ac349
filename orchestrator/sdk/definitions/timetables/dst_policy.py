"""Decides which instants a wall-clock time means where an author chose what happens when the clocks change (C24-a).

Without a choice the rule is Airflow's, see ``cron.py``. A gap is an hour that a day lacks, an overlap one that it has twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from orchestrator.sdk.definitions.timetables.dst import utc_to_wall, wall_to_utc

GAPS = ("shift", "skip")
OVERLAPS = ("first", "last", "both")
# No zone moves its clocks by more at once, but for a change of the date line.
MARGIN = timedelta(hours=3)
Ticks = Callable[[datetime], Iterator[datetime]]


@dataclass(frozen=True, slots=True)
class DstPolicy:
    """``gap``: a time that a day does not have is moved forward by the gap (shift) or left out (skip).

    ``overlap``: a time that a day has twice means its first pass, its last, or both.
    """

    gap: str = "shift"
    overlap: str = "last"

    def instants(self, wall: datetime, zone: tzinfo) -> list[datetime]:
        """Return the instants of a naive wall time, in order; none for one that is left out."""
        first, last = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if utc_to_wall(last, zone) != wall.replace(fold=0) and utc_to_wall(first, zone) != wall.replace(fold=0):
            return [] if self.gap == "skip" else [wall_to_utc(wall, zone)]
        if first == last or self.overlap == "first":
            return [first]
        return [last] if self.overlap == "last" else [first, last]


def policy_of(gap: str | None, overlap: str | None, default_overlap: str) -> DstPolicy | None:
    """Return the policy for an author's two words; None for no choice. Raises ``ValueError`` naming a word that is none."""
    if gap is None and overlap is None:
        return None
    for name, value, allowed in (("dst_gap", gap, GAPS), ("dst_overlap", overlap, OVERLAPS)):
        if value is not None and value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return DstPolicy(gap or "shift", overlap or default_overlap)


def first_after(current: datetime, zone: tzinfo, policy: DstPolicy, later: Ticks) -> datetime:
    """Return the first instant after ``current``; ``later`` yields the wall times after one, in order."""
    best: datetime | None = None
    for wall in later(utc_to_wall(current, zone) - _margin(current, zone)):
        if best is not None and wall > utc_to_wall(best, zone) + _margin(best, zone):
            return best
        found = [instant for instant in policy.instants(wall, zone) if instant > current]
        best = min([*found, *([best] if best else [])], default=None)
    raise ValueError("the schedule has no further time")


def last_before(current: datetime, zone: tzinfo, policy: DstPolicy, earlier: Ticks) -> datetime:
    """Return the last instant before ``current``; ``earlier`` yields the wall times before one, backwards."""
    best: datetime | None = None
    for wall in earlier(utc_to_wall(current, zone) + _margin(current, zone)):
        if best is not None and wall < utc_to_wall(best, zone) - _margin(best, zone):
            return best
        found = [instant for instant in policy.instants(wall, zone) if instant < current]
        best = max([*found, *([best] if best else [])], default=None)
    raise ValueError("the schedule has no earlier time")


def _margin(instant: datetime, zone: tzinfo) -> timedelta:
    """Return how far around an instant wall times can change their order: nothing while no clock changes."""
    around = {(instant + step).astimezone(zone).utcoffset() for step in (-MARGIN, timedelta(), MARGIN)}
    return MARGIN if len(around) > 1 else timedelta()
