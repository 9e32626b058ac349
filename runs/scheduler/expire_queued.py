"""Decides that an attempt has failed that waited for slots and a worker for longer than ``queue_max_wait_seconds`` (C02-a)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs import transitions
from runs.causes import Cause
from runs.models import Hold, TaskInstance
from runs.reports import Report
from runs.states import DagRunState
from runs.states import TaskInstanceState as S

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
NO_LIMIT_LOOK_SECONDS = 60.0


class ExpireQueued:
    """Fails what waits too long; the author's retries and callbacks apply as after any other failure (C02-f).

    What a person holds back, by a pause or a hold, does not run out of time. Without a limit nothing is read.
    """

    name = "expire_queued"
    periodic = True

    def run_once(self, limit: int) -> Result:
        """Fail at most ``limit`` attempts."""
        seconds = conf.get("scheduler", "queue_max_wait_seconds")
        if seconds is None:
            return Result(next_in=NO_LIMIT_LOOK_SECONDS)
        now = utcnow()
        reports = [_report(row, now, float(seconds)) for row in _late(now - timedelta(seconds=float(seconds)), limit)]
        if not reports:
            return Result(next_in=EVERY_SECONDS)
        with transaction.atomic():
            failed = transitions.fail_unstarted(reports, now=now)
        return Result(done=len(failed), more=len(reports) >= limit, next_in=EVERY_SECONDS)


def _late(before: datetime, limit: int) -> list[TaskInstance]:
    rows = TaskInstance.objects.filter(state__in=[S.SCHEDULED, S.QUEUED], scheduled_dttm__lt=before)
    rows = rows.filter(dag_run__state=DagRunState.RUNNING, dag_run__dag__is_paused=False)
    rows = rows.exclude(dag_run__in=Hold.objects.values("dag_run"))
    return list(rows.order_by("scheduled_dttm", "pk")[:limit])


def _report(row: TaskInstance, now: datetime, seconds: float) -> Report:
    where = f"in the queue of its executor ({row.queue})" if row.state == S.QUEUED else f"for slots of pool {row.pool}"
    detail = f"it waited {where} for longer than [scheduler] queue_max_wait_seconds = {seconds:g}"
    log.warning("%s fails: %s", row, detail)
    state = S.UP_FOR_RETRY if row.try_number <= row.max_tries else S.FAILED
    return Report(row.id, row.dispatch_id, state, now, cause=Cause.QUEUE_TIMEOUT, cause_detail=detail)
