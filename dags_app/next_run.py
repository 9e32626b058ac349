"""Decides when a DAG runs next, from its document and its last run; asks no database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orchestrator.sdk.definitions.timetables import DagRunInfo, DataInterval, TimeRestriction, Timetable, decode_timetable
from orchestrator.sdk.definitions.timetables.instants import as_utc
from orchestrator.sdk.serialization.spec import DagSpec


def next_run(spec: DagSpec, last: DataInterval | None, timetable: Timetable | None = None) -> DagRunInfo | None:
    """Return the run that follows the last automated one (None: there was none), or None if there is no further run.

    Raises whatever the timetable raises, such as croniter's error for a date that never comes: the caller isolates it.
    """
    timetable = timetable or decode_timetable(spec.timetable)
    if not timetable.can_be_scheduled:
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
