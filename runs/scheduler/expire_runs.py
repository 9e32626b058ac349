"""Decides that a run which outlasts its ``dagrun_timeout`` has failed."""

from __future__ import annotations

import logging

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs.causes import Cause
from runs.scheduler.advance_runs import finish_by_force
from runs.scheduler.holdings import Holdings

log = logging.getLogger(__name__)


class ExpireRuns:
    """Ends overdue runs; their unfinished tasks are skipped, as in Airflow, and their workers stopped."""

    name = "expire_runs"
    periodic = True

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings

    def run_once(self, limit: int) -> Result:
        """End what is overdue."""
        now = utcnow()
        overdue = self.holdings.pop_overdue(now)
        failed: list[Exception] = []
        for owned in [self.holdings.runs[pk] for pk in overdue]:
            log.warning("run %s of %s exceeds its dagrun_timeout of %s s", owned.run_id, owned.dag_id, owned.spec.dagrun_timeout)
            try:
                finish_by_force(self.holdings, owned, now=now, cause=Cause.DAGRUN_TIMEOUT)
            except Exception as error:
                self.holdings.end_by(owned.deadline or now, owned.pk)
                failed.append(error)
        if failed:
            raise failed[0]
        return Result(done=len(overdue), next_in=1.0)
