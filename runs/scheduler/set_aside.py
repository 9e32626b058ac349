"""Decides what happens to a run or a DAG that cannot be handled: it is set aside with its error, and tried again later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError

from dags_app.models import Dag
from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import utcnow
from runs.models import DagRun
from runs.scheduler.holdings import Holdings

log = logging.getLogger(__name__)

BASE_SECONDS = 2.0
CAP_SECONDS = 300.0  # C04-a: at most five minutes between two tries
# The database's own trouble is no run's fault: the duty fails and is tried again as a whole (C12-d).
DATABASE_TROUBLE = (OperationalError, InterfaceError)


def set_aside_run(holdings: Holdings, run_pk: int, error: Exception) -> None:
    """Give a run back, with the error on it and on its DAG; any scheduler takes it again after a pause.

    Raises:
        OperationalError, InterfaceError: the error itself, where it is the database's; the run is read again.
    """
    if isinstance(error, DATABASE_TROUBLE):
        holdings.stale.add(run_pk)
        raise error
    holdings.drop(run_pk)
    holdings.failures[run_pk] += 1
    retry_at = _retry_at(holdings.failures[run_pk])
    text = _text(error)
    dag_id = DagRun.objects.filter(pk=run_pk).values_list("dag_id", flat=True).first()
    DagRun.objects.filter(pk=run_pk).update(scheduler_id=None, scheduling_error=text, scheduling_retry_at=retry_at)
    Dag.objects.filter(pk=dag_id).update(scheduling_error=text)
    first = holdings.failures[run_pk] == 1
    log.error("a run of DAG %s is set aside until %s: %s", dag_id, retry_at, text, exc_info=error if first else None)


def set_aside_dag(dag_id: str, error: Exception) -> None:
    """Write the error on the DAG and let it rest (exponential, capped). Raises the database's own trouble again."""
    if isinstance(error, DATABASE_TROUBLE):
        raise error
    count = Dag.objects.filter(pk=dag_id).values_list("scheduling_error_count", flat=True).first() or 0
    retry_at, text = _retry_at(count + 1), _text(error)
    Dag.objects.filter(pk=dag_id).update(scheduling_error=text, scheduling_error_count=count + 1, scheduling_retry_at=retry_at)
    log.error("DAG %s is set aside until %s: %s", dag_id, retry_at, text, exc_info=error if count == 0 else None)


def clear_error(holdings: Holdings, run_pk: int, dag_id: str) -> None:
    """The run could be handled: whatever was wrong with it and with its DAG is over."""
    holdings.failures.pop(run_pk, None)
    clear_dag_error(dag_id)


def clear_dag_error(dag_id: str) -> None:
    """What was wrong with a DAG is over."""
    Dag.objects.filter(pk=dag_id).exclude(scheduling_error="").update(
        scheduling_error="", scheduling_error_count=0, scheduling_retry_at=None
    )


def _retry_at(count: int) -> datetime:
    return utcnow() + timedelta(seconds=delay(count, base=BASE_SECONDS, cap=CAP_SECONDS))


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
