"""Decides what a scheduler knows of holds: which runs and task instances it must not let begin, and when a hold ends."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime

from django.db import transaction

from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.service import Result
from runs.models import Hold
from runs.run_nodes import Key
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.services_hold import hold_release, show_wait

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0


class FollowHolds:
    """Reads all holds, which are few, by one query: at news of a run, and every second."""

    name = "follow_holds"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Take over what is held now; end the holds whose time is over."""
        if not self.holdings.holds_due and monotonic() < self._look_at:
            return Result()
        self.holdings.holds_due = False
        self._look_at = monotonic() + LOOK_EVERY_SECONDS
        holds, now = list(Hold.objects.order_by("pk")), utcnow()
        if not holds and not self.holdings.holds:
            return Result()
        over = [hold for hold in holds if hold.until is not None and hold.until <= now]
        self._end(over, now)
        left = [hold for hold in holds if hold not in over]
        self._take_over(left)
        return Result(done=len(over), more=bool(over))

    def _end(self, over: list[Hold], now: datetime) -> None:
        for hold in over:
            log.info("the hold of %s ends at %s", hold, now)
            with transaction.atomic():
                hold_release(hold)

    def _take_over(self, holds: list[Hold]) -> None:
        held: dict[int, set[Key]] = defaultdict(set)
        for hold in holds:
            held[hold.dag_run_id].add((hold.task_id, hold.map_index))
            if hold.dag_run_id in self.holdings.runs:
                show_wait(hold)
        before, self.holdings.holds = self.holdings.holds, {pk: frozenset(keys) for pk, keys in held.items()}
        for run_pk in before.keys() | held.keys():
            owned = self.holdings.runs.get(run_pk)
            if owned is not None and owned.held != self.holdings.holds.get(run_pk, frozenset()):
                self._change(owned)

    def _change(self, owned: OwnedRun) -> None:
        """Hold the run as the rows say; what is free again is decided and offered to the free slots once more."""
        undecided = [key for key in owned.graph if key[0] in owned.tasks and owned.graph.state_of(key) is None]
        free = [key for key in undecided if owned.is_held(key)]
        self.holdings.hold_back(owned)
        owned.graph.ask_again(key for key in free if not owned.is_held(key))
        self.holdings.ready.release_all()
        self.holdings.dirty.add(owned.pk)
