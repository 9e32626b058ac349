"""Decides how a schedule is shown before it happens: ticks around now, in local time and UTC, with what the clocks do (C24-b)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from orchestrator.sdk.definitions.timetables.base import DagRunInfo, TimeRestriction, Timetable
from orchestrator.sdk.definitions.timetables.cron import CronSchedule
from orchestrator.sdk.definitions.timetables.dst import utc_to_wall

MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class Tick:
    """One moment at which a run is due; ``note`` says what the clocks do there, empty for nothing special."""

    at: datetime
    local: str
    zone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """Ticks before and after a moment, each in order of time."""

    previous: list[Tick]
    following: list[Tick]


def preview(timetable: Timetable, bounds: TimeRestriction, now: datetime, *, zone: tzinfo = UTC, count: int = 20) -> Preview:
    """Return the ``count`` ticks before (and at) and after ``now`` within the DAG's start and end date.

    Pauses, missed intervals and runs that exist already are not looked at: it is the schedule itself. Raises what the
    timetable raises.
    """
    if not timetable.can_be_scheduled:
        return Preview([], [])
    if isinstance(timetable, CronSchedule):
        zone = timetable.timezone
        before = list(_bounded(_walk_back(timetable, now), bounds, count))[::-1]
        after = list(_bounded(_walk_on(timetable, now), bounds, count))
    else:
        before, after = _from_start(timetable, bounds, now, count)
    return Preview(_shown(before, zone), _shown(after, zone))


def _walk_on(timetable: CronSchedule, at: datetime) -> Iterator[datetime]:
    while True:
        at = timetable._get_next(at)
        yield at


def _walk_back(timetable: CronSchedule, at: datetime) -> Iterator[datetime]:
    at = timetable._align_to_prev(at)
    while True:
        yield at
        at = timetable._get_prev(at)


def _bounded(ticks: Iterator[datetime], bounds: TimeRestriction, count: int) -> Iterator[datetime]:
    for _, tick in zip(range(count), ticks, strict=False):
        if (bounds.earliest and tick < bounds.earliest) or (bounds.latest and tick > bounds.latest):
            return
        yield tick


def _from_start(
    timetable: Timetable, bounds: TimeRestriction, now: datetime, count: int
) -> tuple[list[datetime], list[datetime]]:
    """Walk a schedule that only knows forward; without a start date it begins now."""
    everything = TimeRestriction(bounds.earliest or now, bounds.latest, catchup=True)
    before: deque[datetime] = deque(maxlen=count)
    after: list[datetime] = []
    info: DagRunInfo | None = None
    for _ in range(MOST_STEPS):
        info = timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=everything)
        if info is None or len(after) >= count or (after and info.run_after <= after[-1]):
            break
        (after if info.run_after > now else before).append(info.run_after)
        if not timetable.periodic:
            break
    return list(before), after[:count]


def _shown(ticks: list[datetime], zone: tzinfo) -> list[Tick]:
    shown = [_tick(at, zone) for at in ticks]
    for number in range(1, len(shown)):
        moved = _offset(ticks[number], zone) - _offset(ticks[number - 1], zone)
        if moved and not shown[number].note:
            word = "forward" if moved > timedelta() else "back"
            shown[number] = replace(shown[number], note=f"clocks went {word} by {_hours(abs(moved))} since the tick before")
    return shown


def _tick(at: datetime, zone: tzinfo) -> Tick:
    local = at.astimezone(zone)
    wall = utc_to_wall(at, zone)
    passes = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    note = ""
    if len(passes) == 2:
        note = f"this time happens twice on this day; this is its {'first' if at == min(passes) else 'second'} pass"
    return Tick(at, local.isoformat(), local.tzname() or "", note)


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _hours(step: timedelta) -> str:
    minutes = int(step.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
