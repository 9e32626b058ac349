"""Decides how others read backfills: which are open, the present runs of dates, the plan of an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import F, QuerySet

from dags_app.custom_timetables import is_custom
from dags_app.models import Dag
from dags_app.selectors import spec_of
from orchestrator.config import conf
from orchestrator.sdk.definitions.timetables import DagRunInfo, Timetable, decode_timetable
from orchestrator.sdk.serialization.spec import DagSpec
from runs.backfills.plan import Order, PlannedRun, PresentRun, check_order, dates_of, key_of, planned
from runs.models import Backfill, DagRun

CHUNK = 400  # below the number of parameters that SQLite takes


def backfills_open() -> QuerySet[Backfill]:
    """Return the backfills that are neither completed nor cancelled."""
    return Backfill.objects.filter(completed_at__isnull=True)


def schedule_of(dag: Dag) -> tuple[DagSpec, Timetable]:
    """Return the newest version and its timetable. Raises ``SpecUnreadableError`` or ``AirflowTimetableInvalid``."""
    spec = spec_of(dag.latest_version_id)  # type: ignore[arg-type]
    return spec, decode_timetable(spec.timetable)


def runs_on_latest(dag: Dag, asked: bool | None) -> bool:
    """Return whether runs that are run again take the newest version: as asked, by the DAG, by configuration, else yes."""
    if asked is not None:
        return asked
    said = spec_of(dag.latest_version_id).rerun_with_latest_version  # type: ignore[arg-type]
    said = conf.get("core", "rerun_with_latest_version") if said is None else said
    return True if said is None else bool(said)


def plan_of(dag: Dag, order: Order, now: datetime) -> list[PlannedRun]:
    """Return what an order would do, date by date. Raises ``BackfillRefusedError``."""
    spec, timetable = schedule_of(dag)
    check_order(spec, timetable, order, now)
    infos = dates_of(timetable, order, now)
    return planned(infos, present_runs(dag.pk, infos), order.reprocess, partitioned=timetable.partitioned)


def foresee_dates(dag: Dag, order: Order, now: datetime) -> None:
    """Ask a plugin's timetable before the transaction that needs its dates (ADR 0011). Raises ``BackfillRefusedError``."""
    if is_custom(dag.timetable_type):
        dates_of(schedule_of(dag)[1], order, now)


def present_runs(dag_id: str, infos: Sequence[DagRunInfo]) -> dict[datetime, PresentRun]:
    """Return the newest run of each date, by ``key_of``."""
    if not infos:
        return {}
    column = "partition_date" if infos[0].partition_date is not None else "logical_date"
    found: dict[datetime, PresentRun] = {}
    for keys in _chunks([key_of(info) for info in infos]):
        runs = DagRun.objects.filter(dag_id=dag_id, **{f"{column}__in": keys})
        # A run that has not begun is older news than one that has, as in Airflow: the last of the order stays.
        rows = runs.order_by(F("start_date").asc(nulls_first=True), "pk").values_list(column, "pk", "run_id", "state")
        found |= {key: PresentRun(pk, run_id, state) for key, pk, run_id, state in rows}
    return found


def _chunks(keys: list[datetime]) -> Iterator[list[datetime]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
