"""Decides which tasks begin in their trigger, without a worker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from orchestrator.sdk.serialization.spec import TaskSpec
from runs import transitions
from runs.models import TaskInstance
from runs.reports import Deferral
from runs.scheduler.holdings import OwnedRun


def start_waits(owned: OwnedRun, rows: Sequence[TaskInstance], *, now: datetime) -> list[TaskInstance]:
    """Hand freshly scheduled attempts to their triggers where the author asked for it; returns all rows as they are now.

    A trigger whose arguments are templates needs a worker to work them out: that task runs there and defers itself, with
    the same outcome; so does a mapped task whose class does not say it, but its arguments. Without a worker the author's
    ``execution_timeout`` bounds the wait.
    """
    deferrals = [_deferral(owned.tasks[row.task_id], row, now) for row in rows if _starts_in_trigger(owned.tasks[row.task_id])]
    if not deferrals:
        return list(rows)
    waiting = {row.id: row for row in transitions.start_in_trigger(deferrals, now=now)}
    return [waiting.get(row.id, row) for row in rows]


def _starts_in_trigger(task: TaskSpec) -> bool:
    if not task.start_from_trigger or not task.start_trigger_args:
        return False
    return "{{" not in json.dumps(task.start_trigger_args) and "{%" not in json.dumps(task.start_trigger_args)


def _deferral(task: TaskSpec, row: TaskInstance, now: datetime) -> Deferral:
    args: dict[str, Any] = task.start_trigger_args
    limits = [seconds for seconds in (args.get("timeout"), task.execution_timeout) if seconds is not None]
    timeout = now + timedelta(seconds=min(limits)) if limits else None
    kwargs = json.dumps(args.get("trigger_kwargs") or {})
    return Deferral(row.id, None, args["trigger_cls"], kwargs, args["next_method"], args.get("next_kwargs") or {}, timeout)
