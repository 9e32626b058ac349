"""Decides what becomes of an attempt that another one follows: it is archived, and the next one starts clean."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Any

from orchestrator.config import conf
from orchestrator.kernel.backoff import delay
from orchestrator.sdk.serialization.spec import TaskSpec
from runs.models import AttemptFields, TaskInstance, TaskInstanceHistory

_SHARED = [field.attname for field in AttemptFields._meta.local_concrete_fields]

# What the next try of the same task instance must not inherit.
FRESH: dict[str, Any] = {
    "start_date": None,
    "end_date": None,
    "duration": None,
    "scheduled_dttm": None,
    "queued_dttm": None,
    "hostname": "",
    "unixname": "",
    "pid": None,
    "dispatch_id": None,
    "queued_by": None,
    "trigger_id": None,
    "trigger_timeout": None,
    "next_method": None,
    "next_kwargs": None,
    "cause": None,
    "cause_detail": None,
    "exit_code": None,
    "signal": None,
    "peak_rss_kb": None,
}


def archive(attempts: Iterable[tuple[TaskInstance, dict[str, Any]]]) -> None:
    """Keep attempts as history, each as it is now with the values given on top; a repeat changes nothing."""
    TaskInstanceHistory.objects.bulk_create(
        [TaskInstanceHistory(id=row.id, **({name: getattr(row, name) for name in _SHARED} | values)) for row, values in attempts],
        ignore_conflicts=True,
    )


def retry_delay(task: TaskSpec | None, try_number: int, row: TaskInstance | None = None) -> float:
    """Return the seconds before the next try of a task that failed at ``try_number`` (from 1), by Airflow's formula.

    ``task`` is None where the DAG no longer has it: the default delay applies. ``row`` gives the spread of an exponential
    back-off, which is the same for the same try: from once to twice the grown delay. It is at least a second and at most
    ``[core] max_task_retry_delay``, then ``max_retry_delay``; a delay that does not grow has no bound.
    """
    task = task or TaskSpec(task_id="")
    factor = task.retry_exponential_backoff
    if factor <= 0 or factor == 1.0:
        return task.retry_delay
    most = int(conf.get("core", "max_task_retry_delay"))
    grown = max(1, _grown(task.retry_delay, factor, try_number, most))
    return min(grown + _spread(row, try_number) % grown, most, task.max_retry_delay or most)


def _grown(base: float, factor: float, try_number: int, most: int) -> int:
    """Return the delay after so many multiplications, rounded up; it stops at ``most``, so that no try number overflows."""
    if base <= 0:
        return 0
    exponent = max(try_number, 1) - 1
    if exponent * math.log(factor) > math.log(most + 1) - math.log(base) + 1:
        return most
    return min(most, math.ceil(base * factor**exponent))


def _spread(row: TaskInstance | None, try_number: int) -> int:
    """Return Airflow's number for a try: it is the same again where the same run is looked at twice."""
    if row is None:
        return 0
    text = f"{row.dag_id}#{row.task_id}#{row.dag_run.logical_date}#{try_number}"
    return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)


def infra_retry_delay(infra_tries: int) -> float:
    """Return the seconds before an attempt lost to the infrastructure is tried again."""
    return delay(infra_tries, base=1.0, cap=60.0, jitter=0.2)


def launch_delay(launch_attempt: int) -> float:
    """Return the seconds before a hand-over that failed ``launch_attempt`` times is made again: 1, 2, 4 … 60."""
    return delay(launch_attempt, base=1.0, cap=60.0)


def infra_budget_left(row: TaskInstance) -> bool:
    """Return whether an attempt lost to the infrastructure may be tried again without using the author's retries."""
    return row.infra_tries < int(conf.get("scheduler", "max_infra_retries"))
