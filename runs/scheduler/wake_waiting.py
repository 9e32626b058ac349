"""Decides when a retry, a rescheduled sensor or a hand-over that failed for a moment is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs import transitions
from runs.run_nodes import Key
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.scheduler.set_aside import set_aside_run
from runs.scheduler.start_waits import start_waits
from runs.scheduler.values_of_try import give_values_of_try
from runs.states import TaskInstanceState
from runs.trigger_rules import Outcome

_WAITING = {TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.UP_FOR_RESCHEDULE}
LOOK_AGAIN = timedelta(seconds=1)

Due = dict[UUID, tuple[OwnedRun, Key]]


class WakeWaiting:
    """Schedules what has waited long enough and may still run."""

    name = "wake_waiting"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings

    def run_once(self, limit: int) -> Result:
        """Schedule what is due."""
        now = utcnow()
        popped = self.holdings.pop_due(now, limit)
        due: Due = {}
        for run_pk, key, ti_id in popped:
            owned = self.holdings.runs.get(run_pk)
            if owned is None or owned.ids.get(key) != ti_id:
                continue
            try:
                self._sort_out(owned, key, due, now)
            except Exception as error:
                set_aside_run(self.holdings, run_pk, error)
        number = len(due)
        if due:
            self._schedule(due, now)
        return Result(done=number, more=len(popped) >= limit, next_in=self.holdings.seconds_to_next_due(now))

    def _sort_out(self, owned: OwnedRun, key: Key, due: Due, now: datetime) -> None:
        state = owned.graph.state_of(key)
        if state is TaskInstanceState.SCHEDULED:
            self.holdings.ready.add(owned.candidate(key))
        elif state in _WAITING and owned.graph.decision(key).outcome is Outcome.RUN:
            due[owned.ids[key]] = (owned, key)
        elif state in _WAITING:
            # Something upstream was cleared, or the past holds it: the graph speaks up only for undecided instances.
            self.holdings.wake_at(now + LOOK_AGAIN, owned.pk, key, owned.ids[key])

    def _schedule(self, due: Due, now: datetime) -> None:
        try:
            with transaction.atomic():
                rows = transitions.schedule(list(due), now=now)
                for row in rows:
                    give_values_of_try(due[row.id][0], [row])
                rows = [start_waits(due[row.id][0], [row], now=now)[0] for row in rows]
        except Exception:
            for ti_id, (owned, key) in due.items():
                self.holdings.wake_at(now, owned.pk, key, ti_id)
            raise
        for row in rows:
            owned, key = due.pop(row.id)
            owned.graph.apply([(key, TaskInstanceState(str(row.state)))])
            if row.state == TaskInstanceState.SCHEDULED:
                self.holdings.ready.add(owned.candidate(key))
        self.holdings.stale.update(owned.pk for owned, _ in due.values())
