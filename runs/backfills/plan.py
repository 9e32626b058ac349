"""Decides which dates a backfill covers and what will happen to each of them; pure, asks no database (C22-b)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.sdk.definitions.timetables import CronPartitionTimetable, DagRunInfo, TimeRestriction, Timetable
from orchestrator.sdk.serialization.spec import DagSpec
from runs.backfills.refusals import BackfillRefusedError, BackfillTypeNotAllowedError
from runs.param_check import ParamsInvalidError, check_params
from runs.states import DAG_RUN_FINISHED, DagRunState, DagRunType

MOST_DATES = 20_000
IN_FLIGHT = "in flight"
ALREADY_EXISTS = "already exists"
CREATE, RERUN, SKIP = "create", "rerun", "skip"


@dataclass(frozen=True, slots=True)
class Order:
    """What is ordered. ``conf`` None leaves the conf of a run that is run again as it is."""

    from_date: datetime
    to_date: datetime
    reprocess: str = "none"
    run_backwards: bool = False
    conf: dict[str, Any] | None = None
    max_active_runs: int = 10
    run_on_latest_version: bool = True


@dataclass(frozen=True, slots=True)
class PresentRun:
    """The run that a date has now."""

    pk: int
    run_id: str
    state: str


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One date in the order in which it runs: ``create``, ``rerun`` the present run, or ``skip`` for ``reason``."""

    info: DagRunInfo
    action: str
    present: PresentRun | None = None
    reason: str | None = None


def check_order(spec: DagSpec, timetable: Timetable, order: Order, now: datetime) -> None:
    """Raise ``BackfillRefusedError`` where the DAG or the dates do not allow the order, with Airflow's text where it has one."""
    check_dag(spec, timetable)
    start, end = order.from_date, order.to_date
    if start > end:
        raise BackfillRefusedError(f"from_date ({start.isoformat()}) must not be after to_date ({end.isoformat()}).")
    if start >= now and end >= now:
        raise BackfillRefusedError("Backfill cannot be executed for future dates.")
    _check_past(spec, order)
    if order.conf is not None:
        try:
            check_params(spec.params, order.conf)
        except ParamsInvalidError as error:
            raise BackfillRefusedError(str(error)) from error


def check_dag(spec: DagSpec, timetable: Timetable) -> None:
    """Raise ``BackfillRefusedError`` for a DAG whose schedule has no past, or that allows no backfill."""
    if not timetable.periodic:
        raise BackfillRefusedError(f"{spec.dag_id} has a non-periodic schedule that does not support backfills")
    if spec.allowed_run_types is not None and DagRunType.BACKFILL not in spec.allowed_run_types:
        raise BackfillTypeNotAllowedError(f"Dag with dag_id: '{spec.dag_id}' does not allow backfill runs")


def _check_past(spec: DagSpec, order: Order) -> None:
    looking = [task.task_id for task in spec.tasks if task.depends_on_past]
    if not looking:
        return
    named = f"Dag {spec.dag_id} has tasks with depends_on_past=True ({', '.join(looking[:3])})"
    if order.run_backwards:
        raise BackfillRefusedError(f"{named}: it cannot run backwards, because each date waits for the one before.")
    if order.reprocess == "none":
        ways = 'set reprocess_behavior to "failed" or "completed"'
        raise BackfillRefusedError(f"{named}: a date that is left out would hold up those after it; {ways}.")


def dates_of(timetable: Timetable, order: Order, now: datetime) -> list[DagRunInfo]:
    """Return the runs of the schedule in the bounds (inclusive), in the order in which they are to run.

    A date whose interval is not over is left out. Raises ``BackfillRefusedError`` for more than ``MOST_DATES`` dates
    and for a schedule that cannot say its dates.
    """
    found = []
    for info in _dates(timetable, order.from_date, order.to_date):
        if not timetable.partitioned and (info.data_interval is None or info.data_interval.end >= now):
            break
        found.append(info)
        if len(found) > MOST_DATES:
            raise BackfillRefusedError(
                f"{timetable.summary} has more than {MOST_DATES} dates from {order.from_date.isoformat()} to "
                f"{order.to_date.isoformat()}; order a shorter time"
            )
    return found[::-1] if order.run_backwards else found


def _dates(timetable: Timetable, earliest: datetime, latest: datetime) -> Iterator[DagRunInfo]:
    try:
        if isinstance(timetable, CronPartitionTimetable):
            yield from timetable.iter_partition_dagrun_infos(earliest=earliest, latest=latest)
            return
        bounds, info = TimeRestriction(earliest, latest, catchup=True), None
        while info := timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=bounds):
            yield info
    except Exception as error:
        message = f"the schedule {timetable.summary!r} cannot say its dates: {type(error).__name__}: {error}"
        raise BackfillRefusedError(message) from error


def planned(
    infos: Iterable[DagRunInfo], present: Mapping[datetime, PresentRun], reprocess: str, *, partitioned: bool = False
) -> list[PlannedRun]:
    """Return what will happen to each date; ``present`` are the runs there are, by logical date or partition date.

    A partition gets another run beside its old one, as in Airflow; any other date has one run for ever.
    """
    return [_planned(info, present.get(key_of(info)), reprocess, partitioned) for info in infos]


def key_of(info: DagRunInfo) -> datetime:
    """Return what tells a date from the others: the partition date, else the logical date."""
    return info.partition_date or info.logical_date or info.run_after


def _planned(info: DagRunInfo, run: PresentRun | None, reprocess: str, partitioned: bool) -> PlannedRun:
    if run is None:
        return PlannedRun(info, CREATE)
    if run.state not in DAG_RUN_FINISHED:
        return PlannedRun(info, SKIP, run, IN_FLIGHT)
    if reprocess == "completed" or (reprocess == "failed" and run.state == DagRunState.FAILED):
        return PlannedRun(info, CREATE if partitioned else RERUN, run)
    return PlannedRun(info, SKIP, run, ALREADY_EXISTS)
