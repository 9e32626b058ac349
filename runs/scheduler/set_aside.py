"""Decides what happens to a run or a DAG that cannot be handled: it is set aside with its error, and tried again later."""

from __future__ import annotations

import logging
from datetime import timedelta

from dags_app.models import Dag
from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun
from runs.scheduler.holdings import Holdings

log = logging.getLogger(__name__)

CAP_SECONDS = 300.0  # C04-a: at most five minutes between two tries


def set_aside_run(holdings: Holdings, run_pk: int, error: BaseException) -> None:
    """Give a run back, with the error on it and on its DAG; any scheduler takes it again after a pause."""
    holdings.drop(run_pk)
    dag_id = DagRun.objects.filter(pk=run_pk).values_list("dag_id", flat=True).first()
    if dag_id is None:
        return
    retry_at = set_aside_dag(dag_id, error)
    text = f"{type(error).__name__}: {error}"
    DagRun.objects.filter(pk=run_pk).update(scheduler_id=None, scheduling_error=text, scheduling_retry_at=retry_at)


def set_aside_dag(dag_id: str, error: BaseException) -> object:
    """Write the error on the DAG and return when it is tried again (exponential, capped)."""
    count = Dag.objects.filter(pk=dag_id).values_list("scheduling_error_count", flat=True).first() or 0
    retry_at = utcnow() + timedelta(seconds=delay(count, base=2.0, cap=CAP_SECONDS))
    text = f"{type(error).__name__}: {error}"
    Dag.objects.filter(pk=dag_id).update(scheduling_error=text, scheduling_error_count=count + 1, scheduling_retry_at=retry_at)
    log.error("DAG %s is set aside until %s: %s", dag_id, retry_at, text, exc_info=error if count == 0 else None)
    return retry_at


def clear_error(dag_id: str) -> None:
    """The DAG could be handled: whatever was wrong with it is over."""
    Dag.objects.filter(pk=dag_id).exclude(scheduling_error="").update(
        scheduling_error="", scheduling_error_count=0, scheduling_retry_at=None
    )
