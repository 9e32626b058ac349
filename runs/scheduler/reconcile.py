"""Decides that memory and database still agree: the safety net, whose corrections are bugs and are counted."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from orchestrator.config import conf
from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.service import Result
from orchestrator.kernel.telemetry import count
from runs.models import RunEvent, TaskInstance
from runs.run_graph import RunGraph
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.states import TaskInstanceState

log = logging.getLogger(__name__)


class Reconcile:
    """Reads the task instances of owned runs again, a bounded number of runs per round, and compares."""

    name = "reconcile"
    periodic = True

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self._seen: dict[int, float] = {}

    def run_once(self, limit: int) -> Result:
        """Compare the runs that were not compared for the configured time; let set-aside candidates count again."""
        self.holdings.ready.release_all()
        every = float(conf.get("scheduler", "reconcile_interval_seconds"))
        now = monotonic()
        self._seen = {pk: at for pk, at in self._seen.items() if pk in self.holdings.runs}
        due = [pk for pk in self.holdings.runs if now - self._seen.setdefault(pk, now) >= every][:20]
        for pk in due:
            self._seen[pk] = now
            self._compare(pk)
        return Result(done=len(due), next_in=1.0)

    def _compare(self, run_pk: int) -> None:
        owned = self.holdings.runs[run_pk]
        rows = list(TaskInstance.objects.filter(dag_run_id=run_pk).values_list("task_id", "map_index", "state", "id", "retry_at"))
        if RunEvent.objects.filter(dag_run_id=run_pk).exists():
            return  # news are on their way: a difference now would prove nothing
        different = [row[:3] for row in rows if _differs(owned.graph, row[:3]) or self._is_forgotten(owned, row)]
        if different:
            self.holdings.corrections += len(different)
            count("scheduler.reconcile.corrections", len(different))
            where, number = f"run {owned.run_id} of {owned.dag_id}", len(different)
            log.error("%s: %d task instances were not as remembered, e.g. %s; it is read again", where, number, different[0])
            self.holdings.stale.add(run_pk)

    def _is_forgotten(self, owned: OwnedRun, row: tuple[str, int, str | None, UUID, datetime | None]) -> bool:
        """Return whether an attempt waits for slots and stands in no queue."""
        task_id, _, state, ti_id, retry_at = row
        waits = state == TaskInstanceState.SCHEDULED and retry_at is None and task_id in owned.tasks
        return waits and ti_id not in self.holdings.ready


def _differs(graph: RunGraph, row: tuple[str, int, str | None]) -> bool:
    task_id, map_index, state = row
    if state == TaskInstanceState.RUNNING:
        state = TaskInstanceState.QUEUED  # that a worker began is no news for the graph
    key = (task_id, map_index)
    return key not in graph or (graph.state_of(key) or None) != (state or None)
