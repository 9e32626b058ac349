"""Decides what is shown of a DAG's future: its next runs, and its schedule around now (C24-b)."""

from __future__ import annotations

from datetime import datetime

from dags_app.models import Dag
from dags_app.next_run import next_run, time_restriction
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.sdk.definitions.timetables import DagRunInfo, DataInterval, Timetable, decode_timetable
from orchestrator.sdk.definitions.timetables.instants import zone_of
from orchestrator.sdk.definitions.timetables.preview import Preview, preview
from orchestrator.sdk.serialization.spec import DagSpec


def upcoming_runs(dag: Dag, number: int, spec: DagSpec | None = None) -> list[DagRunInfo]:
    """Return the next runs of a DAG as they will be created, if nobody pauses it; fewer where the schedule ends.

    Raises ``SpecUnreadableError`` and what the timetable raises (``ValueError`` and below).
    """
    if dag.next_dagrun_create_after is None:
        return []
    spec = spec or _spec(dag)
    start, end = dag.next_dagrun_data_interval_start, dag.next_dagrun_data_interval_end
    interval = DataInterval(start, end) if start is not None and end is not None else None
    infos: list[DagRunInfo] = [DagRunInfo(dag.next_dagrun_create_after, interval)]
    while len(infos) < number:
        last = infos[-1].data_interval or DataInterval.exact(infos[-1].run_after)
        following = next_run(spec, last)
        if following is None or following.run_after <= infos[-1].run_after:
            break
        infos.append(following)
    return infos[: max(number, 0)]


def schedule_preview(dag: Dag, now: datetime, count: int) -> Preview:
    """Return the ticks of a DAG's schedule around now. Raises as ``upcoming_runs``."""
    spec = _spec(dag)
    timetable = decode_timetable(spec.timetable)
    return preview(timetable, time_restriction(spec), now, zone=zone_of(spec.timezone), count=count)


def cron_preview(timetable: Timetable, now: datetime, count: int) -> Preview:
    """Return the ticks of a schedule that no DAG has yet."""
    from orchestrator.sdk.definitions.timetables import TimeRestriction

    timetable.validate()
    return preview(timetable, TimeRestriction(None, None, catchup=True), now, count=count)


def _spec(dag: Dag) -> DagSpec:
    if dag.latest_version_id is None:
        raise SpecUnreadableError(f"DAG {dag.dag_id!r} has no version yet: wait for the DAG processor to read its file")
    return spec_of(dag.latest_version_id)
