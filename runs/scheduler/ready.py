"""Decides which scheduled task instances get the free slots: pure, in memory, fair between DAG runs.

Candidates stand in lanes, one per (pool, slots that a task takes). In a lane each run has its own heap, so a run at its
limit is set aside as a whole and never hides another one; a task at its own limit is set aside likewise. What was set
aside comes back when something of that run or task ended, and at every poll. A choice costs the logarithm of the
number of candidates, never their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from uuid import UUID

RESUMES_FIRST = 1 << 40  # more than any priority weight

TaskKey = tuple[str, str]  # dag_id, task_id
LaneKey = tuple[str, int]  # pool, pool_slots


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scheduled task instance that waits for slots; ``order`` ranks older ones first within a priority."""

    ti_id: UUID
    run_pk: int
    dag_id: str
    task_id: str
    map_index: int
    pool: str
    pool_slots: int
    priority_weight: int
    executor: str | None = None
    resumes: bool = False  # its wait inside a try is over: it comes before every first start (C15-d)

    @property
    def rank(self) -> tuple[int, int, int]:
        """What goes on first, then the highest priority, then the older run, then the lower map index."""
        return (-self.priority_weight - RESUMES_FIRST * self.resumes, self.run_pk, self.map_index)


@dataclass(slots=True)
class Capacity:
    """What is free now, counted from rows in the transaction that spends it."""

    slots: int
    pool_free: dict[str, float]
    run_active: Counter[int] = field(default_factory=Counter)
    task_active: Counter[TaskKey] = field(default_factory=Counter)
    task_in_run_active: Counter[tuple[int, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps that authors set; None means no cap."""

    max_active_tasks: int
    per_task: Mapping[str, tuple[int | None, int | None]]  # task_id -> (per DAG, per run)


class _Lane:
    """The candidates of one (pool, slots): a heap per run, and a heap of the runs by their best candidate."""

    __slots__ = ("heads", "runs")

    def __init__(self) -> None:
        self.runs: dict[int, list[tuple[tuple[int, int, int], int, Candidate]]] = {}
        self.heads: list[tuple[tuple[int, int, int], int]] = []

    def add(self, candidate: Candidate, tie: int) -> None:
        heap = self.runs.setdefault(candidate.run_pk, [])
        heappush(heap, (candidate.rank, tie, candidate))
        if heap[0][2] is candidate:
            heappush(self.heads, (candidate.rank, candidate.run_pk))

    def best(self) -> Candidate | None:
        """Return the best candidate of the runs that stand in ``heads``; entries that are out of date fall away."""
        while self.heads:
            rank, run_pk = self.heads[0]
            heap = self.runs.get(run_pk)
            if heap and heap[0][0] == rank:
                return heap[0][2]
            heappop(self.heads)
        return None

    def take(self, run_pk: int) -> None:
        """Remove the best candidate of a run, which is also the best of the lane."""
        heap = self.runs[run_pk]
        heappop(heap)
        heappop(self.heads)
        if heap:
            heappush(self.heads, (heap[0][0], run_pk))
        else:
            del self.runs[run_pk]

    def show(self, run_pk: int) -> None:
        """Put a run that was set aside back among the heads."""
        if heap := self.runs.get(run_pk):
            heappush(self.heads, (heap[0][0], run_pk))


class ReadyQueue:
    """All candidates of the runs that a scheduler owns."""

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, _Lane] = {}
        self._known: dict[UUID, Candidate] = {}
        self._aside_runs: dict[int, set[LaneKey]] = {}
        self._aside_tasks: dict[TaskKey, list[Candidate]] = {}
        self._ties = 0
        self.visited = 0  # candidates looked at; a test holds it against the number chosen

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, ti_id: UUID) -> bool:
        return ti_id in self._known

    @property
    def pools(self) -> set[str]:
        """The pools that candidates stand in."""
        return {candidate.pool for candidate in self._known.values()}

    def add(self, candidate: Candidate) -> None:
        """Take a candidate in; one that is known already is left as it is."""
        if candidate.ti_id not in self._known:
            self._known[candidate.ti_id] = candidate
            self._insert(candidate)

    def discard(self, ti_id: UUID) -> None:
        """Forget a candidate; its place in the heap falls away when it is reached."""
        self._known.pop(ti_id, None)

    def drop_run(self, run_pk: int) -> None:
        """Forget all candidates of a run."""
        self._aside_runs.pop(run_pk, None)
        for lane in self._lanes.values():
            for _, _, candidate in lane.runs.pop(run_pk, ()):
                self._known.pop(candidate.ti_id, None)
        for candidates in self._aside_tasks.values():
            for candidate in candidates:
                if candidate.run_pk == run_pk:
                    self._known.pop(candidate.ti_id, None)

    def release(self, run_pk: int, task: TaskKey) -> None:
        """Something of this run and task ended: what was set aside for them counts again."""
        self._show_run(run_pk)
        for candidate in self._aside_tasks.pop(task, ()):
            self._insert(candidate)

    def release_all(self) -> None:
        """Let everything that was set aside count again: limits, pauses and other schedulers' slots may have changed."""
        for run_pk in list(self._aside_runs):
            self._show_run(run_pk)
        aside, self._aside_tasks = self._aside_tasks, {}
        for candidates in aside.values():
            for candidate in candidates:
                self._insert(candidate)

    def choose(self, capacity: Capacity, limits_of: Callable[[int], Limits | None]) -> list[Candidate]:
        """Return the candidates that get the free slots and take them out; ``capacity`` is spent on the way.

        Args:
            capacity: the free slots; a pool that it does not name has none.
            limits_of: the caps of a run by its primary key; None where the run may not start tasks now (paused DAG).
        """
        chosen = []
        while capacity.slots > 0 and (found := self._best(capacity)):
            lane_key, candidate = found
            self.visited += 1
            lane = self._lanes[lane_key]
            if self._known.get(candidate.ti_id) is not candidate:  # forgotten, or added anew as something else
                lane.take(candidate.run_pk)
                continue
            limits = limits_of(candidate.run_pk)
            if limits is None or capacity.run_active[candidate.run_pk] >= limits.max_active_tasks:
                heappop(lane.heads)
                self._aside_runs.setdefault(candidate.run_pk, set()).add(lane_key)
                continue
            lane.take(candidate.run_pk)
            if _is_capped(candidate, capacity, limits):
                self._aside_tasks.setdefault((candidate.dag_id, candidate.task_id), []).append(candidate)
                continue
            del self._known[candidate.ti_id]
            _spend(capacity, candidate)
            chosen.append(candidate)
        return chosen

    def _best(self, capacity: Capacity) -> tuple[LaneKey, Candidate] | None:
        best: tuple[LaneKey, Candidate] | None = None
        for key, lane in self._lanes.items():
            if capacity.pool_free.get(key[0], 0) < max(key[1], 1):
                continue
            candidate = lane.best()
            if candidate is not None and (best is None or candidate.rank < best[1].rank):
                best = (key, candidate)
        return best

    def _insert(self, candidate: Candidate) -> None:
        self._ties += 1
        lane = self._lanes.setdefault((candidate.pool, candidate.pool_slots), _Lane())
        lane.add(candidate, self._ties)

    def _show_run(self, run_pk: int) -> None:
        for lane_key in self._aside_runs.pop(run_pk, ()):
            self._lanes[lane_key].show(run_pk)


def _is_capped(candidate: Candidate, capacity: Capacity, limits: Limits) -> bool:
    per_dag, per_run = limits.per_task.get(candidate.task_id, (None, None))
    if per_dag is not None and capacity.task_active[candidate.dag_id, candidate.task_id] >= per_dag:
        return True
    return per_run is not None and capacity.task_in_run_active[candidate.run_pk, candidate.task_id] >= per_run


def _spend(capacity: Capacity, candidate: Candidate) -> None:
    capacity.slots -= 1
    capacity.pool_free[candidate.pool] -= candidate.pool_slots
    capacity.run_active[candidate.run_pk] += 1
    capacity.task_active[candidate.dag_id, candidate.task_id] += 1
    capacity.task_in_run_active[candidate.run_pk, candidate.task_id] += 1
