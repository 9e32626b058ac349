"""Decides when a DAG runs next, from its document and its last run; asks no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from orchestrator.sdk.definitions.timetables import DagRunInfo, DataInterval, TimeRestriction, Timetable, decode_timetable
from orchestrator.sdk.definitions.timetables.cron import CronSchedule
from orchestrator.sdk.definitions.timetables.instants import as_utc
from orchestrator.sdk.serialization.spec import DagSpec

MOST_SKIPPED = 100_000


def next_run(spec: DagSpec, last: DataInterval | None, timetable: Timetable | None = None) -> DagRunInfo | None:
    """Return the run that follows the last automated one (None: there was none), or None if there is no further run.

    Raises whatever the timetable raises, such as croniter's error for a date that never comes: the caller isolates it.
    """
    timetable = timetable or decode_timetable(spec.timetable)
    if not timetable.can_be_scheduled or "scheduled" not in (spec.allowed_run_types or ("scheduled",)):
        return None
    # A partitioned run has no data interval: the end of the given one is the moment the last run was due.
    last_info = DagRunInfo(last.end, last) if last is not None else None
    return timetable.next_dagrun_info_v2(last_dagrun_info=last_info, restriction=time_restriction(spec))


def time_restriction(spec: DagSpec) -> TimeRestriction:
    """Return the bounds for runs: the earliest start date of DAG and tasks, and the latest end date if all tasks have one."""
    starts = [*_moments(task.start_date for task in spec.tasks), *_moments([spec.start_date])]
    ends = _moments(task.end_date or spec.end_date for task in spec.tasks)
    latest = None
    if len(ends) == len(spec.tasks):
        latest = max([*ends, *_moments([spec.end_date])], default=None)
    return TimeRestriction(min(starts, default=None), latest, spec.catchup)


def _moments(texts: Iterable[str | None]) -> list[datetime]:
    return [as_utc(datetime.fromisoformat(text)) for text in texts if text]


class Wishes(Protocol):
    """What people chose about missed intervals; a ``Dag`` row has it."""

    catch_up_until: datetime | None
    skip_missed_until: datetime | None


def next_wanted(
    wishes: Wishes, spec: DagSpec, last: DataInterval | None, timetable: Timetable | None = None
) -> DagRunInfo | None:
    """Return the next run as ``next_run`` has it, but for the missed intervals that somebody wants all of, or none of."""
    timetable = timetable or decode_timetable(spec.timetable)
    until = wishes.catch_up_until
    if until is not None and not spec.catchup:
        info = next_run(replace(spec, catchup=True), last, timetable)
        if info is None or info.run_after <= until:
            return info
    info = next_run(spec, last, timetable)
    until = wishes.skip_missed_until
    if info is not None and until is not None and info.run_after <= until and isinstance(timetable, CronSchedule):
        return next_run(spec, DataInterval.exact(until), timetable)  # a tick of a cron does not depend on the one before
    for _ in range(MOST_SKIPPED):
        if info is None or until is None or info.run_after > until:
            break
        info = next_run(spec, info.data_interval or DataInterval.exact(info.run_after), timetable)
    return info
