"""Decides that a DAG whose last runs all failed is paused: ``max_consecutive_failed_dag_runs``."""

from __future__ import annotations

import logging

from django.db import transaction

from dags_app.pausing import dag_pause
from runs.models import DagRun
from runs.scheduler.holdings import OwnedRun
from runs.states import DagRunState

log = logging.getLogger(__name__)


def pause_after_failures(owned: OwnedRun, state: str) -> bool:
    """Pause the DAG of a run that has just ended as failed, in a transaction of its own, if it is one too many.

    The newest runs by due time count, as in Airflow: one that succeeded or has not ended among them keeps the DAG on. Not in
    the transaction that ended the run: whoever starts runs locks the DAG before its runs.
    """
    most = owned.spec.max_consecutive_failed_dag_runs
    if state != DagRunState.FAILED or most <= 0:
        return False
    newest = DagRun.objects.filter(dag_id=owned.dag_id).order_by("-run_after", "-pk").values_list("state", flat=True)
    if [*newest[:most]] != [DagRunState.FAILED] * most:
        return False
    reason = f"the last {most} runs failed (max_consecutive_failed_dag_runs={most})"
    log.warning("DAG %s is paused: %s", owned.dag_id, reason)
    with transaction.atomic():
        return bool(dag_pause(owned.dag_id, True, actor="scheduler", reason=reason))
