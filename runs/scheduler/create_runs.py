"""Decides when a scheduled run comes into being: at its time, once, whatever the number of schedulers."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dags_app.custom_timetables import foresee, is_custom
from dags_app.models import Dag
from dags_app.next_run import time_restriction
from dags_app.selectors import spec_of
from dags_app.services import dag_set_next_dagrun
from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from orchestrator.sdk.definitions.timetables import DataInterval
from orchestrator.sdk.serialization.spec import DagSpec
from runs.assets.partitioned import scheduled_partition
from runs.models import DagRun
from runs.run_ids import scheduled_run_id
from runs.scheduler.holdings import Holdings
from runs.scheduler.overlap import AT_ONCE, may_create
from runs.scheduler.set_aside import set_aside_dag
from runs.states import DagRunState, DagRunType

# Wake-ups of a busy scheduler come by the hundred a second; due DAGs are looked for at most this often.
SHORTEST_PAUSE_SECONDS = 0.1


class CreateRuns:
    """Creates the runs that are due. A unique key, not a leader, makes each exist once (A4, I4)."""

    name = "create_runs"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._looked_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Create at most the configured number of runs; a DAG that fails is set aside alone."""
        wait = self._looked_at + SHORTEST_PAUSE_SECONDS - monotonic()
        if wait > 0 or not conf.get("scheduler", "use_job_schedule"):
            return Result(next_in=wait if wait > 0 else None)
        self._looked_at = monotonic()
        now = utcnow()
        if not Dag.objects.due(now).exists():
            return Result(next_in=self._seconds_to_next(now))
        done = 0
        for dag_id, kind in _due(now):
            try:
                done += self._create(dag_id, kind, now)
            except Exception as error:
                set_aside_dag(dag_id, error)
        self.holdings.may_start_runs |= bool(done)
        if done:
            self._looked_at = 0.0  # a DAG behind its schedule gets its next run in the next round
        return Result(done=done, more=bool(done), next_in=self._seconds_to_next(now))

    def _create(self, dag_id: str, kind: str, now: datetime) -> int:
        if is_custom(kind):
            _foresee(dag_id)
        with transaction.atomic():
            dag = Dag.objects.select_for_update().get(pk=dag_id)
            if dag.next_dagrun_create_after is None or dag.next_dagrun_create_after > now or dag.is_paused:
                return 0
            if dag.overlap_policy not in AT_ONCE and _active(dag_id) >= (dag.max_active_runs or float("inf")):
                return 0  # another scheduler was quicker
            spec = spec_of(dag.latest_version_id)  # type: ignore[arg-type]
            created = _insert(dag, spec, now) if may_create(dag) else 1
            dag_set_next_dagrun(dag, spec, _interval(dag))
        fault_point("create_run.after_commit")
        return created

    def _seconds_to_next(self, now: datetime) -> float | None:
        upcoming = Dag.objects.active().filter(is_paused=False, next_dagrun_create_after__gt=now)
        first = upcoming.order_by("next_dagrun_create_after").values_list("next_dagrun_create_after", flat=True).first()
        return (first - now).total_seconds() if first else None


def _due(now: datetime) -> list[tuple[str, str]]:
    most = int(conf.get("scheduler", "max_dagruns_to_create_per_loop"))
    due = _with_room(Dag.objects.due(now).exclude(scheduling_retry_at__gt=now))
    return list(due.order_by("next_dagrun_create_after", "pk").values_list("pk", "timetable_type")[:most])


def _foresee(dag_id: str) -> None:
    """Ask the timetable of a plugin before the transaction what comes after the run that is due (ADR 0011)."""
    dag = Dag.objects.get(pk=dag_id)
    spec = spec_of(dag.latest_version_id)  # type: ignore[arg-type]
    foresee(spec.timetable, _interval(dag), time_restriction(spec))


def _active(dag_id: str) -> int:
    return DagRun.objects.unfinished().filter(dag_id=dag_id, backfill=None).count()


def _with_room(dags: QuerySet[Dag]) -> QuerySet[Dag]:
    """Keep the DAGs below their ``max_active_runs``: one at its cap must not hide another (C08-b)."""
    open_runs = DagRun.objects.unfinished().filter(dag_id=OuterRef("pk"), backfill=None).order_by()
    number = open_runs.values("dag_id").annotate(n=Count("id")).values("n")
    active = Coalesce(Subquery(number), 0)
    room = Q(max_active_runs=None) | Q(active_runs__lt=F("max_active_runs")) | Q(overlap_policy__in=AT_ONCE)
    return dags.annotate(active_runs=active).filter(room)


def _interval(dag: Dag) -> DataInterval | None:
    if dag.next_dagrun_data_interval_start is None or dag.next_dagrun_data_interval_end is None:
        # A partitioned run has none: what follows it is counted from its due time.
        return DataInterval.exact(dag.next_dagrun_create_after) if dag.next_dagrun_create_after else None
    return DataInterval(dag.next_dagrun_data_interval_start, dag.next_dagrun_data_interval_end)


def _insert(dag: Dag, spec: DagSpec, now: datetime) -> int:
    """Write the run; where it exists already, by hand or by another scheduler, nothing happens."""
    run_after = dag.next_dagrun_create_after or now
    key, date = scheduled_partition(spec.timetable, run_after)
    run_id = scheduled_run_id(dag.pk, run_after=run_after, partition_key=key)
    try:
        with transaction.atomic():
            DagRun.objects.create(
                dag=dag,
                run_id=run_id,
                run_type=DagRunType.SCHEDULED,
                state=DagRunState.QUEUED,
                logical_date=dag.next_dagrun_logical_date,
                data_interval_start=dag.next_dagrun_data_interval_start,
                data_interval_end=dag.next_dagrun_data_interval_end,
                run_after=run_after,
                queued_at=now,
                triggered_by="timetable",
                partition_key=key,
                partition_date=date,
                created_dag_version_id=dag.latest_version_id,
                bundle_version=dag.bundle_version,
            )
    except IntegrityError:
        same = Q(run_id=run_id)
        if dag.next_dagrun_logical_date is not None:
            same |= Q(logical_date=dag.next_dagrun_logical_date)
        if not DagRun.objects.filter(same, dag_id=dag.pk).exists():
            raise  # something else is wrong, and the schedule must not go on as if the run existed
        return 0
    return 1
