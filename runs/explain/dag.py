"""Decides why a DAG gets no run now, or when it gets the next one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from dags_app.models import Dag, ParseImportError
from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.serialization.spec import DagSpec
from runs.assets.partitioned import is_partitioned
from runs.explain import gates
from runs.explain.answer import Explanation, of_dag, of_run, said
from runs.explain.events import of_assets, of_partitions, of_waits
from runs.explain.platform import platform
from runs.explain.reasons import Reason
from runs.explain.run import room_of
from runs.models import DagRun, PartitionWait
from runs.scheduler.overlap import AT_ONCE
from runs.states import DagRunState, DagRunType


def explain_dag(dag: Dag) -> list[Explanation]:
    """Return why no run of a DAG is made, the first reason first; a bounded number of queries."""
    return list(_reasons(dag, utcnow()))


def explain_waits(dag: Dag, waits: Sequence[PartitionWait]) -> list[Explanation]:
    """Return, for each partition of a DAG that waits, the first reason why it has no run; a bounded number of queries."""
    general = next(_general(dag, utcnow()), None) if waits else None
    if general is not None or dag.latest_version_id is None:
        return [general for _ in waits if general is not None]
    return list(of_waits(dag, spec_of(dag.latest_version_id), waits)) if waits else []


def _general(dag: Dag, now: datetime) -> Iterator[Explanation]:
    """Yield what holds back every run of a DAG."""
    yield from gates.of_dag_row(dag, dag.pk)
    yield from gates.of_errors(None, dag, now)
    yield from gates.of_schedulers(platform(now))
    if dag.latest_version_id is None:
        return
    try:
        spec_of(dag.latest_version_id)
    except SpecUnreadableError as error:
        yield Explanation(
            Reason.NO_VERSION, f"The version of DAG {dag.pk} cannot be read: {error}", (of_dag(dag.pk, "unreadable"),)
        )


def _reasons(dag: Dag, now: datetime) -> Iterator[Explanation]:
    general = list(_general(dag, now))
    yield from general
    if dag.latest_version_id is None or Reason.NO_VERSION in [item.reason for item in general]:
        return
    spec = spec_of(dag.latest_version_id)
    if spec.asset_condition:
        yield from _of_events(dag, spec, now)
    if dag.next_dagrun_create_after is not None or not spec.asset_condition:
        yield from _of_schedule(dag, now)


def _of_events(dag: Dag, spec: DagSpec, now: datetime) -> Iterator[Explanation]:
    if dag.has_import_errors and not dag.is_stale:
        error = ParseImportError.objects.filter(bundle_id=dag.bundle_id, filename=dag.relative_fileloc).first()
        if error is not None:
            yield gates.import_error(dag, error)
    if is_partitioned(spec.timetable):
        yield from of_partitions(dag, spec)
        return
    yield from room_of(dag, None, states=(DagRunState.QUEUED, DagRunState.RUNNING))
    yield from of_assets(dag, spec, now)


def _of_schedule(dag: Dag, now: datetime) -> Iterator[Explanation]:
    due = dag.next_dagrun_create_after
    if due is None:
        text = f"DAG {dag.pk} has no further run by its schedule ({dag.timetable_summary or 'none'}): trigger it."
        yield Explanation(Reason.NOT_SCHEDULED, text, (of_dag(dag.pk, "not scheduled"),))
        return
    if not conf.get("scheduler", "use_job_schedule"):
        yield Explanation(Reason.SCHEDULE_OFF, "[scheduler] use_job_schedule is off: no run is made by any schedule.")
    if due > now:
        text = f"The next run of DAG {dag.pk} is due at {said(due)}."
        yield Explanation(Reason.NEXT_RUN, text, (), None, due)
        return
    if dag.overlap_policy not in AT_ONCE:
        yield from room_of(dag, due, states=(DagRunState.QUEUED, DagRunState.RUNNING))
    yield from _overlap(dag)
    text = f"The run of DAG {dag.pk} that was due at {said(due)} is made as soon as the scheduler looks at it."
    yield Explanation(Reason.ABOUT_TO_CREATE, text, (), due)


def _overlap(dag: Dag) -> Iterator[Explanation]:
    if dag.overlap_policy not in ("skip", "queue_one"):
        return
    runs = DagRun.objects.unfinished().filter(dag=dag, run_type=DagRunType.SCHEDULED, backfill=None)
    other = runs.order_by("-state", "run_after", "pk").first()
    if other is not None:
        text = f"The overlap policy of DAG {dag.pk} is {dag.overlap_policy}, and run {other.run_id} is {other.state}."
        yield Explanation(Reason.OVERLAP, text, (of_run(other),))
