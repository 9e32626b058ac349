"""Decides which of the intervals that a paused DAG missed are made up for when it goes on (C24-c)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from dags_app.models import Dag
from dags_app.next_run import next_run
from dags_app.selectors import SpecUnreadableError, spec_of
from dags_app.services import dag_set_next_dagrun, last_interval
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import DataInterval
from orchestrator.sdk.serialization.spec import DagSpec

log = logging.getLogger(__name__)

ON_UNPAUSE = ("none", "last", "all")
MOST_COUNTED = 1000


def missed_choice(dag: Dag, asked: str | None) -> str | None:
    """Return what was chosen: for this time, by the DAG, or by the configuration; None for Airflow's behaviour."""
    spec = _spec(dag)
    if spec is None:
        return None
    return asked or spec.on_unpause or str(conf.get("scheduler", "on_unpause") or "") or None


def take_missed(dag: Dag, choice: str) -> int:
    """Move the DAG's next run as chosen; returns how many missed intervals are left out, at most ``MOST_COUNTED``.

    ``all`` makes up for everything since the last run whatever ``catchup`` says; the DAG's later runs follow its own
    ``catchup`` again. The DAG's row is held by the caller. A schedule that cannot say leaves everything as it is: it hinders
    nobody, and the scheduler sets the DAG aside with the reason (I4).
    """
    spec, now = _spec(dag), utcnow()
    if spec is None:
        return 0
    last = last_interval(dag.pk)
    try:
        newest = next_run(replace(spec, catchup=False), last)
        missed = count_missed(spec, last, now)
    except Exception as error:
        log.warning("DAG %s: what it missed is not known: %s", dag.pk, error)
        return 0
    if newest is None or newest.run_after > now:
        return 0
    dag.catch_up_until = now if choice == "all" else None
    dag.skip_missed_until = {"all": None, "last": newest.run_after - timedelta(microseconds=1), "none": now}[choice]
    Dag.objects.filter(pk=dag.pk).update(catch_up_until=dag.catch_up_until, skip_missed_until=dag.skip_missed_until)
    dag_set_next_dagrun(dag, spec, last)
    return {"all": 0, "last": missed - 1, "none": missed}[choice]


def count_missed(spec: DagSpec, last: DataInterval | None, now: datetime) -> int:
    """Return how many runs after the last one are due by now, at most ``MOST_COUNTED``; without any run, since the start date."""
    everything = replace(spec, catchup=True)
    for number in range(MOST_COUNTED):
        info = next_run(everything, last)
        if info is None or info.run_after > now:
            return number
        last = info.data_interval or DataInterval.exact(info.run_after)
    return MOST_COUNTED


def _spec(dag: Dag) -> DagSpec | None:
    if dag.latest_version_id is None or dag.next_dagrun_create_after is None:
        return None
    try:
        return spec_of(dag.latest_version_id)
    except SpecUnreadableError:
        return None
