"""Decides when a retry or a rescheduled sensor is due."""

from __future__ import annotations

from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs import transitions
from runs.run_nodes import Key
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.states import TaskInstanceState
from runs.trigger_rules import Outcome

_WAITING = {TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.UP_FOR_RESCHEDULE}


class WakeWaiting:
    """Schedules what has waited long enough and may still run."""

    name = "wake_waiting"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings

    def run_once(self, limit: int) -> Result:
        """Schedule what is due."""
        now = utcnow()
        due = [
            (owned, key)
            for run_pk, key, ti_id in self.holdings.pop_due(now, limit)
            if (owned := self.holdings.runs.get(run_pk)) and owned.ids.get(key) == ti_id and _may_run(owned, key)
        ]
        if due:
            by_id = {owned.ids[key]: (owned, key) for owned, key in due}
            with transaction.atomic():
                rows = transitions.schedule(list(by_id), now=now)
            for row in rows:
                owned, key = by_id[row.id]
                owned.graph.apply([(key, TaskInstanceState.SCHEDULED)])
                self.holdings.ready.add(owned.candidate(key))
            self.holdings.stale.update(owned.pk for owned, _ in due if len(rows) < len(due))
        return Result(done=len(due), more=len(due) >= limit, next_in=self.holdings.seconds_to_next_due(now))


def _may_run(owned: OwnedRun, key: Key) -> bool:
    return owned.graph.state_of(key) in _WAITING and owned.graph.decision(key).outcome is Outcome.RUN
