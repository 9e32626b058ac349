"""Decides what a failed task does to the rest of its run in a DAG with ``fail_fast``."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from runs import transitions
from runs.models import TaskInstance
from runs.scheduler.holdings import OwnedRun
from runs.states import FINISHED, TaskInstanceState


def stop_remaining(owned: OwnedRun, *, now: datetime) -> int:
    """Fail what runs and skip what has not begun, but for teardowns; returns how many task instances that were.

    As in Airflow the other indexes of the failed task go on, and a run whose leaves are skipped ends as a success.
    """
    failed = {key[0] for key in owned.graph if owned.graph.state_of(key) is TaskInstanceState.FAILED}
    if not failed:
        return 0
    spared = failed | {task_id for task_id, task in owned.tasks.items() if task.is_teardown}
    left = TaskInstance.objects.filter(dag_run_id=owned.pk).exclude(state__in=list(FINISHED)).exclude(task_id__in=spared)
    rows = list(left.values_list("pk", "state"))
    running = [pk for pk, state in rows if state == TaskInstanceState.RUNNING]
    others = [pk for pk, state in rows if state != TaskInstanceState.RUNNING]
    if not rows:
        return 0
    with transaction.atomic():
        moved = transitions.mark(running, TaskInstanceState.FAILED, now=now, actor="fail_fast")
        moved += transitions.mark(others, TaskInstanceState.SKIPPED, now=now, actor="fail_fast")
    return len(moved)
