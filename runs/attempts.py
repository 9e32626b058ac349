"""Decides what becomes of an attempt that another one follows: it is archived, and the next one starts clean."""

from __future__ import annotations

import random
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


def retry_delay(task: TaskSpec | None, try_number: int) -> float:
    """Return the seconds before the next try of a task that failed at ``try_number`` (from 1).

    ``task`` is None where the DAG no longer has it: the default delay applies.

    Exponential back-off multiplies per try and is spread by up to a quarter, so that many failures do not return at
    once; ``max_retry_delay`` and ``[core] max_task_retry_delay`` cap it.
    """
    task = task or TaskSpec(task_id="")
    cap = min(task.max_retry_delay or float("inf"), float(conf.get("core", "max_task_retry_delay")))
    if not task.retry_exponential_backoff:
        return min(task.retry_delay, cap)
    grown = task.retry_delay
    for _ in range(max(try_number, 1) - 1):
        grown = min(grown * task.retry_exponential_backoff, cap)
        if grown >= cap:
            break
    return min(grown * random.uniform(1.0, 1.25), cap)  # noqa: S311  spread, not secrecy


def infra_retry_delay(infra_tries: int) -> float:
    """Return the seconds before an attempt lost to the infrastructure is tried again."""
    return delay(infra_tries, base=1.0, cap=60.0, jitter=0.2)


def launch_delay(launch_attempt: int) -> float:
    """Return the seconds before a hand-over that failed ``launch_attempt`` times is made again: 1, 2, 4 … 60."""
    return delay(launch_attempt, base=1.0, cap=60.0)


def infra_budget_left(row: TaskInstance) -> bool:
    """Return whether an attempt lost to the infrastructure may be tried again without using the author's retries."""
    return row.infra_tries < int(conf.get("scheduler", "max_infra_retries"))
