"""Decides what a due run of a schedule does while an earlier one is unfinished: the DAG's ``overlap_policy`` (C24-e).

``allow``: runs beside it, as in Airflow. ``skip``: is left out. ``queue_one``: waits, unless one waits already; then it is left
out. ``queue_all``: waits. ``cancel_previous``: the earlier ones fail. Only runs of the schedule are meant: a run by hand, by
another DAG, by an asset or of a backfill neither waits nor counts.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.services import audit_write
from dags_app.models import Dag
from runs.models import DagRun
from runs.services import run_set_state
from runs.states import DagRunState, DagRunType

# These decide at the moment at which a run is due, full or not.
AT_ONCE = ("skip", "queue_one", "cancel_previous")


def _of_schedule(dag: Dag) -> QuerySet[DagRun]:
    return DagRun.objects.unfinished().filter(dag_id=dag.pk, run_type=DagRunType.SCHEDULED, backfill__isnull=True)


def may_create(dag: Dag) -> bool:
    """Return whether the run that is due is created; ends earlier ones, or notes that it is left out. The DAG's row is held."""
    if dag.overlap_policy in ("allow", "queue_all"):
        return True
    if dag.overlap_policy == "cancel_previous":
        for run in _of_schedule(dag).order_by("pk"):
            run_set_state(run, DagRunState.FAILED, actor="overlap_policy")
        return True
    in_the_way = _of_schedule(dag)
    if dag.overlap_policy == "queue_one":
        in_the_way = in_the_way.filter(state=DagRunState.QUEUED)
    if not in_the_way.exists():
        return True
    due = dag.next_dagrun_create_after
    Dag.objects.filter(pk=dag.pk).update(skip_missed_until=due)
    dag.skip_missed_until = due
    extra = {"run_after": due, "logical_date": dag.next_dagrun_logical_date, "overlap_policy": dag.overlap_policy}
    audit_write("overlap_skipped", actor="scheduler", dag_id=dag.pk, extra=extra)
    return False


def startable(dag: Dag, queued: QuerySet[DagRun]) -> QuerySet[DagRun]:
    """Return which of a DAG's queued runs may begin now, apart from ``max_active_runs``."""
    if dag.overlap_policy == "allow":
        return queued
    others = ~Q(run_type=DagRunType.SCHEDULED)
    if _of_schedule(dag).filter(state=DagRunState.RUNNING).exists():
        return queued.filter(others)
    oldest = queued.filter(run_type=DagRunType.SCHEDULED).order_by("run_after", "pk").values("pk")[:1]
    return queued.filter(others | Q(pk__in=list(oldest.values_list("pk", flat=True))))
