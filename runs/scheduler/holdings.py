"""Decides what a scheduler keeps in memory: the runs that it owns, their graphs, and what is due or dirty.

All of it is a cache. Every decision made from it is a guarded write, and a write that loses makes the run be read again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from uuid import UUID

from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec
from runs.dependencies import Decision
from runs.run_graph import RunGraph
from runs.run_nodes import Key
from runs.scheduler.ready import Candidate, Limits, ReadyQueue

WHOLE_RUN: Key = ("", -1)


@dataclass(slots=True)
class OwnedRun:
    """One running DAG run: its graph and the ids of its current attempts."""

    pk: int
    dag_id: str
    run_id: str
    version_id: UUID
    version_hashes: tuple[str, str]
    spec: DagSpec
    tasks: dict[str, TaskSpec]
    graph: RunGraph
    limits: Limits
    ids: dict[Key, UUID] = field(default_factory=dict)
    logical_date: datetime | None = None
    started_at: datetime | None = None
    waits_for_past: bool = False
    follows_versions: bool = True  # takes over new versions of its DAG
    branches: frozenset[str] = frozenset()  # tasks that choose a branch
    below_branches: frozenset[str] = frozenset()
    weights: dict[Key, int] = field(default_factory=dict)  # of tries whose weight is not that of the first
    branch_news: bool = False  # what branches chose is to be read again
    to_do: list[tuple[Key, Decision]] = field(default_factory=list)  # decided, and not carried out yet
    sized: set[str] = field(default_factory=set)  # mapped tasks whose number of indexes was looked at
    held: frozenset[Key] = frozenset()  # what a person holds; ("", -1) is the whole run
    run_type: str = ""
    is_backfill: bool = False  # its tasks come after those of other runs

    @property
    def deadline(self) -> datetime | None:
        """When the run times out, None for never."""
        if not self.spec.dagrun_timeout or self.started_at is None:
            return None
        return self.started_at + timedelta(seconds=self.spec.dagrun_timeout)

    def is_held(self, key: Key) -> bool:
        """Return whether a person holds the run, the task or the index."""
        return bool(self.held) and not self.held.isdisjoint((WHOLE_RUN, key, (key[0], -1)))

    def candidate(self, key: Key, resumes: bool = False) -> Candidate:
        """Return the entry for the ready queue of a scheduled task instance; ``resumes`` after a wait in its trigger."""
        task = self.tasks[key[0]]
        return Candidate(
            ti_id=self.ids[key],
            run_pk=self.pk,
            dag_id=self.dag_id,
            task_id=key[0],
            map_index=key[1],
            pool=task.pool,
            pool_slots=task.pool_slots,
            priority_weight=self.weights.get(key, task.priority_weight_total),
            executor=task.executor,
            resumes=resumes,
            after_others=self.is_backfill,
        )


@dataclass(slots=True)
class Holdings:
    """Everything one scheduler process knows between two rounds."""

    scheduler_id: UUID
    runs: dict[int, OwnedRun] = field(default_factory=dict)
    ready: ReadyQueue = field(default_factory=ReadyQueue)
    dirty: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)  # to be read again
    past_changed: set[str] = field(default_factory=set)  # DAGs with news that a later run may wait for
    paused_dags: set[str] = field(default_factory=set)
    may_start_runs: bool = True
    may_start_backfills: bool = False  # a run of a backfill left its place
    holds: dict[int, frozenset[Key]] = field(default_factory=dict)  # run -> what is held of it; most runs are not here
    holds_due: bool = True  # the holds are to be read before anything begins
    corrections: int = 0
    failures: Counter[int] = field(default_factory=Counter)  # run -> how often in a row it could not be handled
    _due: list[tuple[datetime, int, Key, UUID]] = field(default_factory=list)
    _deadlines: list[tuple[datetime, int]] = field(default_factory=list)

    def hold(self, owned: OwnedRun) -> None:
        """Take a run in, in place of what was known of it."""
        self.ready.drop_run(owned.pk)
        self.runs[owned.pk] = owned
        self.hold_back(owned)
        self.dirty.add(owned.pk)
        self.stale.discard(owned.pk)

    def hold_back(self, owned: OwnedRun) -> None:
        """Let the run know what of it is held."""
        held = self.holds.get(owned.pk, frozenset())
        if held != owned.held:
            owned.held = held
            owned.limits = replace(owned.limits, held=held)

    def drop(self, run_pk: int) -> None:
        """Forget a run; what stands of it in queues falls away when it is reached."""
        owned = self.runs.pop(run_pk, None)
        self.may_start_backfills |= owned is not None and owned.is_backfill
        self.dirty.discard(run_pk)
        self.stale.discard(run_pk)
        self.ready.drop_run(run_pk)
        self.may_start_runs = True

    def wake_at(self, due_at: datetime, run_pk: int, key: Key, ti_id: UUID) -> None:
        """Remember when a retry, a reschedule or the next try of a hand-over is due."""
        heappush(self._due, (due_at, run_pk, key, ti_id))

    def pop_due(self, now: datetime, limit: int) -> list[tuple[int, Key, UUID]]:
        """Return what is due by ``now``, at most ``limit``."""
        due: list[tuple[int, Key, UUID]] = []
        while self._due and self._due[0][0] <= now and len(due) < limit:
            _, run_pk, key, ti_id = heappop(self._due)
            due.append((run_pk, key, ti_id))
        return due

    def seconds_to_next_due(self, now: datetime) -> float | None:
        """Return when ``pop_due`` has something next, None for never."""
        return max(0.0, (self._due[0][0] - now).total_seconds()) if self._due else None

    def end_by(self, deadline: datetime, run_pk: int) -> None:
        """Remember when a run times out."""
        heappush(self._deadlines, (deadline, run_pk))

    def pop_overdue(self, now: datetime) -> list[int]:
        """Return the runs whose deadline is over; one that it had before it was cleared does not count."""
        overdue = []
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, run_pk = heappop(self._deadlines)
            owned = self.runs.get(run_pk)
            if owned is not None and owned.deadline == deadline and run_pk not in overdue:
                overdue.append(run_pk)
        return overdue

    def limits_of(self, run_pk: int) -> Limits | None:
        """Return the caps of a run, None where its DAG is paused, a person holds it, or it is not in memory any more."""
        owned = self.runs.get(run_pk)
        stopped = owned is None or owned.dag_id in self.paused_dags or WHOLE_RUN in owned.held
        return None if stopped or owned is None else owned.limits
