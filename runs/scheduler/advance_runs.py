"""Decides, for each run with news, which of its tasks come next and whether the run is over."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.faults import fault_point
from orchestrator.kernel.service import Result
from orchestrator.kernel.telemetry import stopwatch
from runs import transitions
from runs.causes import Cause
from runs.consequences.run_ends import DEADLOCKED
from runs.dependencies import Decision
from runs.models import TaskInstance
from runs.run_nodes import Key
from runs.scheduler.branch_choices import read_choices
from runs.scheduler.expand_task import expand_task
from runs.scheduler.fail_fast import stop_remaining
from runs.scheduler.holdings import Holdings, OwnedRun
from runs.scheduler.pause_failing import pause_after_failures
from runs.scheduler.revise_indexes import revise_indexes
from runs.scheduler.set_aside import set_aside_run
from runs.scheduler.start_waits import start_waits
from runs.scheduler.values_of_try import give_values_of_try
from runs.states import DAG_RUN_FINISHED, FINISHED, DagRunState, TaskInstanceState
from runs.trigger_rules import Outcome

log = logging.getLogger(__name__)

CHUNK = 500
_ENDS = {
    Outcome.SKIP: TaskInstanceState.SKIPPED,
    Outcome.UPSTREAM_FAILED: TaskInstanceState.UPSTREAM_FAILED,
    Outcome.REMOVED: TaskInstanceState.REMOVED,
}


class AdvanceRuns:
    """Carries out the decisions of the graphs that changed."""

    name = "advance_runs"

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings

    def run_once(self, limit: int) -> Result:
        """Advance every dirty run; one that cannot be advanced is set aside with its error and hinders no other (I4)."""
        done = 0
        for run_pk in list(self.holdings.dirty):
            self.holdings.dirty.discard(run_pk)
            owned = self.holdings.runs.get(run_pk)
            if owned is None:
                continue
            try:
                with stopwatch("dagrun.dependency-check", dag_id=owned.dag_id, run_type=owned.run_type):
                    done += self._advance(owned)
            except Exception as error:
                set_aside_run(self.holdings, run_pk, error)
        return Result(done=done, more=bool(self.holdings.dirty or self.holdings.stale or self.holdings.may_start_backfills))

    def _advance(self, owned: OwnedRun) -> int:
        done = 0
        if owned.spec.fail_fast and stop_remaining(owned, now=utcnow()):
            self.holdings.stale.add(owned.pk)  # memory is behind: the run is read again before anything else is decided
            return 1
        while decisions := self._decisions(owned):
            decisions, owned.to_do = decisions[:CHUNK], decisions[CHUNK:]
            if owned.held:
                decisions = [item for item in decisions if not owned.is_held(item[0])]
            done += self._carry_out(owned, decisions)
            if owned.to_do:
                # Thousands of indexes are scheduled in parts, so that other runs go on in between.
                self.holdings.dirty.add(owned.pk)
                return done
        self._finish(owned)
        return done

    @staticmethod
    def _decisions(owned: OwnedRun) -> list[tuple[Key, Decision]]:
        """Return what is to be done; what branches chose is known before, also for indexes that the last step made."""
        if owned.branch_news:
            read_choices(owned)
        return owned.to_do or owned.graph.decisions()

    def _carry_out(self, owned: OwnedRun, decisions: list[tuple[Key, Decision]]) -> int:
        groups: dict[Outcome, list[Key]] = defaultdict(list)
        for key, decision in decisions:
            groups[decision.outcome].append(key)
        now = utcnow()
        keys = revise_indexes(owned, groups.pop(Outcome.RUN, []), now=now)
        for key in groups.pop(Outcome.EXPAND, []):
            if not expand_task(owned, key, now=now):
                self.holdings.stale.add(owned.pk)
        fault_point("advance.before_commit")
        with transaction.atomic():
            run, empty = _split(owned, keys)
            scheduled = transitions.schedule([owned.ids[key] for key in run], now=now)
            give_values_of_try(owned, scheduled)
            moved = start_waits(owned, scheduled, now=now)
            ended = transitions.decide_without_running([owned.ids[key] for key in empty], TaskInstanceState.SUCCESS, now=now)
            for outcome, some in groups.items():
                ids = [owned.ids[key] for key in some]
                ended += transitions.decide_without_running(ids, _ENDS[outcome], now=now)
        fault_point("advance.after_commit")
        self._take_over(owned, [*moved, *ended])
        if len(moved) + len(ended) < len(keys) + sum(map(len, groups.values())):
            # Somebody else wrote first: memory is behind the database, so the run is read again.
            self.holdings.stale.add(owned.pk)
        return len(moved) + len(ended)

    def _take_over(self, owned: OwnedRun, rows: list[TaskInstance]) -> None:
        owned.graph.apply(((row.task_id, row.map_index), TaskInstanceState(str(row.state))) for row in rows)
        for row in rows:
            key = (row.task_id, row.map_index)
            if row.state == TaskInstanceState.SCHEDULED and row.retry_at is not None:
                self.holdings.wake_at(row.retry_at, owned.pk, key, row.id)
            elif row.state == TaskInstanceState.SCHEDULED:
                self.holdings.ready.add(owned.candidate(key))

    def _finish(self, owned: OwnedRun) -> None:
        judgement = owned.graph.judge()
        if judgement.state not in DAG_RUN_FINISHED:
            return
        now = utcnow()
        give_up: dict[Outcome, list[UUID]] = defaultdict(list)
        for key, decision in judgement.give_up:
            give_up[decision.outcome].append(owned.ids[key])
        fault_point("finish_run.before_commit")
        with transaction.atomic():
            cause = DEADLOCKED if judgement.deadlocked else ""
            scheduler_id = self.holdings.scheduler_id
            ended = transitions.finish_run(owned.pk, judgement.state, now=now, cause=cause, scheduler_id=scheduler_id)
            for outcome, ids in give_up.items() if ended else ():
                transitions.mark(ids, _ENDS[outcome], now=now, actor="scheduler", cause=Cause.MARKED)
        if not ended:
            self.holdings.stale.add(owned.pk)
            return
        pause_after_failures(owned, ended)
        log.info("run %s of %s: %s", owned.run_id, owned.dag_id, ended)
        self.holdings.drop(owned.pk)


def _split(owned: OwnedRun, keys: list[Key]) -> tuple[list[Key], list[Key]]:
    """Separate what a worker must run from empty operators, which succeed without a process, as in Airflow."""
    run = [key for key in keys if not owned.tasks[key[0]].is_empty]
    return run, [key for key in keys if owned.tasks[key[0]].is_empty]


def finish_by_force(holdings: Holdings, owned: OwnedRun, *, now: datetime, cause: str) -> None:
    """End a run as failed and give up everything unfinished in it: its time is over."""
    with transaction.atomic():
        if transitions.finish_run(owned.pk, DagRunState.FAILED, now=now, cause=cause, whatever_the_news=True):
            # Rows, not memory: a task that was cleared a moment ago has another id.
            left = TaskInstance.objects.filter(dag_run_id=owned.pk).exclude(state__in=list(FINISHED)).order_by("pk")
            ids = list(left.values_list("pk", flat=True))
            for start in range(0, len(ids), CHUNK):
                chunk = ids[start : start + CHUNK]
                transitions.mark(chunk, TaskInstanceState.SKIPPED, now=now, actor="scheduler", cause=cause)
    pause_after_failures(owned, DagRunState.FAILED)
    holdings.drop(owned.pk)
