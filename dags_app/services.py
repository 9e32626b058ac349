"""Decides how what may run is changed: next runs, bundles, requests for another parse.

Functions run inside the caller's transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from dags_app.models import Bundle, Dag, ParsedFile
from dags_app.next_run import next_wanted
from orchestrator.database import notify_on_commit
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import DagRunInfo, DataInterval, Timetable
from orchestrator.sdk.serialization.spec import DagSpec

log = logging.getLogger(__name__)

NEXT_RUN_COLUMNS = [
    "next_dagrun_logical_date",
    "next_dagrun_data_interval_start",
    "next_dagrun_data_interval_end",
    "next_dagrun_create_after",
]

LastInterval = Callable[[str], DataInterval | None]
_last_interval_sources: list[LastInterval] = []


def last_interval_source(source: LastInterval) -> None:
    """Register who knows the data interval of a DAG's last automated run; the app of the runs does, at start-up."""
    _last_interval_sources[:] = [source]


def last_interval(dag_id: str) -> DataInterval | None:
    """Return the data interval of the last automated run of a DAG, or None if there was none."""
    return _last_interval_sources[0](dag_id) if _last_interval_sources else None


def dag_set_next_dagrun(
    dag: Dag, spec: DagSpec, last: DataInterval | None, *, timetable: Timetable | None = None
) -> DagRunInfo | None:
    """Compute and write the next run of a DAG after its last automated one; returns it, or None if there is none.

    A schedule that cannot say (a cron date that never comes, a broken document) has no next run and leaves its reason in
    ``scheduling_error``; it never raises, so one DAG cannot stop a loop (invariant I4).
    """
    error = ""
    try:
        info = next_wanted(dag, spec, last, timetable)
    except Exception as failure:
        info, error = None, f"The schedule {spec.timetable_summary!r} gives no next run: {type(failure).__name__}: {failure}"
        log.warning("DAG %s: %s", dag.dag_id, error)
    interval = info.data_interval if info else None
    dag.next_dagrun_logical_date = info.logical_date if info else None
    dag.next_dagrun_data_interval_start = interval.start if interval else None
    dag.next_dagrun_data_interval_end = interval.end if interval else None
    dag.next_dagrun_create_after = info.run_after if info else None
    columns = list(NEXT_RUN_COLUMNS)
    if error or dag.scheduling_error.startswith("The schedule "):
        dag.scheduling_error = error
        columns.append("scheduling_error")
    Dag.objects.filter(pk=dag.pk).update(**{name: getattr(dag, name) for name in columns})
    return info


def bundles_register(sources: Iterable[tuple[str, str, str, dict[str, Any]]]) -> list[Bundle]:
    """Write the configured bundles (name, kind, path, arguments without secrets); others become inactive, their DAGs stay."""
    bundles = []
    for name, kind, path, kwargs in sources:
        values = {"kind": kind, "path": path, "kwargs": kwargs, "is_active": True}
        bundle, _ = Bundle.objects.update_or_create(name=name, defaults=values)
        bundles.append(bundle)
    Bundle.objects.exclude(name__in=[bundle.name for bundle in bundles]).update(is_active=False)
    return bundles


def file_request_reparse(bundle_name: str, relative_fileloc: str) -> datetime | None:
    """Ask the DAG processor to parse a file again, changed or not; returns the time of the request, None for an unknown file."""
    now = utcnow()
    asked = ParsedFile.objects.filter(bundle_id=bundle_name, relative_fileloc=relative_fileloc).update(reparse_requested_at=now)
    if asked:
        notify_on_commit("dag_processor")
    return now if asked else None
