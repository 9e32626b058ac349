"""Decides how news from workers and people reach the graphs in memory."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from runs.executors.base import Executors
from runs.models import RunEvent
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.states import TaskInstanceState

log = logging.getLogger(__name__)

_COLUMNS = ("id", "dag_run_id", "task_id", "map_index", "state", "ti_id", "due_at", "revoked_id")
_LIMIT = 2000
_RESUMES_FROM = (TaskInstanceState.DEFERRED, TaskInstanceState.AWAITING_INPUT)


class TakeEvents:
    """Reads and deletes the ``RunEvent`` rows of owned runs and applies them.

    A crash between the deletion and the decisions loses nothing: the next owner reads the whole run (ADR 0002).
    """

    name = "take_events"

    def __init__(self, holdings: Holdings, executors: Executors) -> None:
        self.holdings = holdings
        self.executors = executors

    def run_once(self, limit: int) -> Result:
        """Take in at most a bounded number of events."""
        mine = RunEvent.objects.filter(dag_run__scheduler_id=self.holdings.scheduler_id)
        rows = list(mine.order_by("id").values_list(*_COLUMNS)[:_LIMIT])
        if rows:
            RunEvent.objects.filter(id__in=[row[0] for row in rows]).delete()
            fault_point("take_events.after_delete")
        for row in rows:
            try:
                self._take(*row[1:])
            except Exception:
                log.exception("news of run %s cannot be taken in; it is read again", row[1])
                self.holdings.stale.add(row[1])
        return Result(done=len(rows), more=len(rows) == _LIMIT)

    def _take(self, run_pk: int, task_id: str, map_index: int, state: str | None, ti_id: UUID | None, *rest: Any) -> None:
        due_at, revoked_id = rest
        if revoked_id is not None:
            self.executors.revoke(revoked_id, f"set to {state or 'cleared'}")
        owned = self.holdings.runs.get(run_pk)
        if owned is None:
            return
        key = (task_id, map_index)
        if not task_id or key not in owned.graph:
            self.holdings.holds_due = True
            self.holdings.stale.add(run_pk)
            return
        self._apply(owned, key, state, ti_id, due_at)

    def _apply(self, owned: OwnedRun, key: tuple[str, int], state: str | None, ti_id: UUID | None, due_at: Any) -> None:
        resumes = owned.graph.state_of(key) in _RESUMES_FROM
        owned.graph.apply([(key, TaskInstanceState(state) if state else None)])
        self.holdings.ready.discard(owned.ids[key])
        if ti_id is not None:
            owned.ids[key] = ti_id
        if due_at is not None:
            self.holdings.wake_at(due_at, owned.pk, key, owned.ids[key])
        elif state == TaskInstanceState.SCHEDULED and key[0] in owned.tasks:
            self.holdings.ready.add(owned.candidate(key, resumes))
        self.holdings.ready.release(owned.pk, (owned.dag_id, key[0]))
        if key[0] in owned.branches or key[0] in owned.below_branches:
            owned.branch_news = True
        if owned.waits_for_past:
            self.holdings.past_changed.add(owned.dag_id)
        self.holdings.dirty.add(owned.pk)
