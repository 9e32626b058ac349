"""Decides what becomes of the work of DAGs that are gone: it is closed as removed, so that nothing waits for ever (C02-c)."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import Exists, OuterRef

from dags_app.models import Dag
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from orchestrator.processes.selectors import processes_gone
from runs import transitions
from runs.models import DagRun, RunEvent, TaskInstance
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState, TaskInstanceState

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
ACTOR = "scheduler"


class CloseOrphans:
    """Removes attempts that wait for a worker although their DAG is stale, ends runs whose DAG was deleted, drops old news."""

    name = "close_orphans"
    periodic = True

    def run_once(self, limit: int) -> Result:
        """Close what is left over."""
        done = _remove_waiting(limit) + sum(_close(pk) for pk in _without_dag(limit)) + _drop_news(limit)
        return Result(done=done, next_in=EVERY_SECONDS)


def _remove_waiting(limit: int) -> int:
    """Attempts of stale DAGs that no worker has begun; those that run are left to end."""
    stale = Exists(Dag.objects.filter(pk=OuterRef("dag_id"), is_stale=True))
    waiting = TaskInstance.objects.filter(stale, state__in=[TaskInstanceState.SCHEDULED, TaskInstanceState.QUEUED])
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0
    now = utcnow()
    with transaction.atomic():
        return len(transitions.remove_unstarted(ids, now=now))


def _without_dag(limit: int) -> list[int]:
    known = Exists(Dag.objects.filter(pk=OuterRef("dag_id")))
    return list(DagRun.objects.unfinished().filter(~known).order_by("pk").values_list("pk", flat=True)[:limit])


def _close(run_pk: int) -> int:
    now = utcnow()
    with transaction.atomic():
        if not transitions.set_run_state(run_pk, DagRunState.FAILED, now=now, actor=ACTOR, cause="dag_not_found"):
            return 0
        left = TaskInstance.objects.filter(dag_run_id=run_pk).exclude(state__in=list(FINISHED)).order_by("pk")
        ids = list(left.values_list("pk", flat=True))
        transitions.mark(ids, TaskInstanceState.REMOVED, now=now, actor=ACTOR, cause="dag_not_found")
    log.warning("run %d ended: its DAG was deleted", run_pk)
    return 1


def _drop_news(limit: int) -> int:
    """News of finished runs whose scheduler has gone: nobody reads it any more."""
    ended = RunEvent.objects.filter(dag_run__state__in=list(DAG_RUN_FINISHED))
    owners = set(ended.order_by().values_list("dag_run__scheduler_id", flat=True).distinct())
    gone = processes_gone({owner for owner in owners if owner})
    ids = list(ended.filter(dag_run__scheduler_id__in=gone).values_list("pk", flat=True)[: limit * 10])
    if None in owners:
        ids += ended.filter(dag_run__scheduler_id=None).values_list("pk", flat=True)[: limit * 10]
    if ids:
        RunEvent.objects.filter(pk__in=ids).delete()
    return len(ids)
