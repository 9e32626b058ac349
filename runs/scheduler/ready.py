"""Decides which scheduled task instances get the free slots: pure, in memory, fair between DAG runs.

Candidates stand in lanes, one per (pool, slots that a task takes). In a lane each run has its own heap, so a run at its
limit is set aside as a whole and never hides another one; a task at its own limit is set aside likewise. What was set
aside comes back when something of that run or task ended, and at every poll. A choice costs the logarithm of the
number of candidates, never their number.

It has over 300 lines because lanes, what is set aside and ageing must agree on one order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from uuid import UUID

RESUMES_FIRST = 1 << 40  # more than any priority weight
BACKFILLS_LAST = 1 << 36  # more than any priority weight, less than what goes on

MANY = 256  # candidates of a run and task at its limit that a poll looks at again

TaskKey = tuple[str, str]  # dag_id, task_id
LaneKey = tuple[str, int]  # pool, pool_slots
Rank = tuple[float, int, int]


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
    after_others: bool = False  # of a backfill, which takes the slots that other runs leave (C22-b)
    aged: float = 0.0  # points of priority that it lacks to who waits since the clock's zero, where its pool ages (C08-d)

    @property
    def rank(self) -> Rank:
        """What goes on first, backfills last; then the highest priority, the older run, the lower map index.

        All in a pool age alike, so their order never changes while they wait, and the rank stays as it is.
        """
        weight = self.priority_weight + RESUMES_FIRST * self.resumes - BACKFILLS_LAST * self.after_others
        return (self.aged - weight, self.run_pk, self.map_index)


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
    held: frozenset[tuple[str, int]] = frozenset()  # task instances that a person holds; index -1 is all of a task


Entry = tuple[Rank, int, Candidate]  # rank, tie, candidate


class _Lane:
    """The candidates of one (pool, slots): a heap per run, and a heap of the runs by their best candidate."""

    __slots__ = ("heads", "runs")

    def __init__(self) -> None:
        self.runs: dict[int, list[Entry]] = {}
        self.heads: list[tuple[Rank, int]] = []

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
        # Of a task at its limit: a heap per run, and what people hold. Each end brings the best of every run back, so that
        # ten thousand indexes behind a limit of one are not looked at ten thousand times.
        self._aside_tasks: dict[TaskKey, dict[int, list[Entry]]] = {}
        self._aside_held: dict[TaskKey, list[Candidate]] = {}
        self._ties = 0
        self.ageing: dict[str, float] = {}  # pool -> seconds of waiting that are worth a point; few pools have it
        self._newcomers: dict[UUID, Candidate] = {}  # of these pools, until somebody says since when they wait
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
            if candidate.pool in self.ageing:
                self._newcomers[candidate.ti_id] = candidate
            else:
                self._insert(candidate)

    def set_ageing(self, ageing: Mapping[str, float]) -> None:
        """Take over which pools age, and how fast; where it changes everybody is placed anew."""
        if self.ageing == ageing:
            return
        everybody, self.ageing = list(self._known.values()), dict(ageing)
        for places in (self._known, self._lanes, self._aside_runs, self._aside_tasks, self._aside_held, self._newcomers):
            places.clear()
        for candidate in everybody:
            self.add(replace(candidate, aged=0.0))

    @property
    def newcomers(self) -> list[UUID]:
        """Who must be told since when it waits before it counts."""
        return list(self._newcomers)

    def admit(self, since: Mapping[UUID, float]) -> None:
        """Place the newcomers; ``since`` is the time at which each became ready, in seconds of the same clock as ``choose``."""
        for ti_id, candidate in self._newcomers.items():
            if self._known.get(ti_id) is candidate:
                self._known[ti_id] = aged = replace(candidate, aged=since.get(ti_id, 0.0) / self.ageing[candidate.pool])
                self._insert(aged)
        self._newcomers.clear()

    def discard(self, ti_id: UUID) -> None:
        """Forget a candidate; its place in the heap falls away when it is reached."""
        self._known.pop(ti_id, None)

    def drop_run(self, run_pk: int) -> None:
        """Forget all candidates of a run."""
        for ti_id in [ti_id for ti_id, candidate in self._newcomers.items() if candidate.run_pk == run_pk]:
            del self._newcomers[ti_id]
            self._known.pop(ti_id, None)
        self._aside_runs.pop(run_pk, None)
        for lane in self._lanes.values():
            for _, _, candidate in lane.runs.pop(run_pk, ()):
                self._known.pop(candidate.ti_id, None)
        for runs in self._aside_tasks.values():
            for _, _, candidate in runs.pop(run_pk, ()):
                self._known.pop(candidate.ti_id, None)
        for candidates in self._aside_held.values():
            for candidate in candidates:
                if candidate.run_pk == run_pk:
                    self._known.pop(candidate.ti_id, None)

    def release(self, run_pk: int, task: TaskKey) -> None:
        """Something of this run and task ended: what was set aside for them counts again."""
        self._show_run(run_pk)
        self._bring_back(task, 1)

    def release_all(self) -> None:
        """Let everything that was set aside count again: limits, pauses and other schedulers' slots may have changed."""
        for run_pk in list(self._aside_runs):
            self._show_run(run_pk)
        for task in {*self._aside_tasks, *self._aside_held}:
            self._bring_back(task, MANY)

    def _bring_back(self, task: TaskKey, most: int) -> None:
        """Let the best of a task count again: of each run ``most`` that are still known, and all that were held."""
        for candidate in self._aside_held.pop(task, ()):
            self._insert(candidate)
        runs = self._aside_tasks.get(task, {})
        for run_pk, heap in list(runs.items()):
            left = most
            while heap and left:
                candidate = heappop(heap)[2]
                if self._known.get(candidate.ti_id) is candidate:
                    self._insert(candidate)
                    left -= 1
            if not heap:
                del runs[run_pk]
        if not runs:
            self._aside_tasks.pop(task, None)

    def choose(self, capacity: Capacity, limits_of: Callable[[int], Limits | None], now: float = 0.0) -> list[Candidate]:
        """Return the candidates that get the free slots and take them out; ``capacity`` is spent on the way.

        Args:
            capacity: the free slots; a pool that it does not name has none.
            limits_of: the caps of a run by its primary key; None where the run may not start tasks now (paused DAG).
            now: the time, in seconds of the clock of ``admit``; only where a pool ages.
        """
        chosen = []
        while capacity.slots > 0 and (found := self._best(capacity, now)):
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
                self._set_aside(candidate, limits)
                continue
            del self._known[candidate.ti_id]
            _spend(capacity, candidate)
            chosen.append(candidate)
        return chosen

    def _best(self, capacity: Capacity, now: float) -> tuple[LaneKey, Candidate] | None:
        best: tuple[LaneKey, Candidate] | None = None
        first: Rank | None = None
        for key, lane in self._lanes.items():
            if capacity.pool_free.get(key[0], 0) < max(key[1], 1):
                continue
            candidate = lane.best()
            if candidate is None:
                continue
            rank = candidate.rank
            if key[0] in self.ageing:
                rank = (rank[0] - now / self.ageing[key[0]], *rank[1:])  # against other pools its wait until now counts
            if first is None or rank < first:
                best, first = (key, candidate), rank
        return best

    def _insert(self, candidate: Candidate) -> None:
        self._ties += 1
        lane = self._lanes.setdefault((candidate.pool, candidate.pool_slots), _Lane())
        lane.add(candidate, self._ties)

    def _set_aside(self, candidate: Candidate, limits: Limits) -> None:
        task = candidate.dag_id, candidate.task_id
        if _is_held(candidate, limits):
            self._aside_held.setdefault(task, []).append(candidate)
            return
        self._ties += 1
        heappush(self._aside_tasks.setdefault(task, {}).setdefault(candidate.run_pk, []), (candidate.rank, self._ties, candidate))

    def _show_run(self, run_pk: int) -> None:
        for lane_key in self._aside_runs.pop(run_pk, ()):
            self._lanes[lane_key].show(run_pk)


def _is_capped(candidate: Candidate, capacity: Capacity, limits: Limits) -> bool:
    if _is_held(candidate, limits):
        return True
    per_dag, per_run = limits.per_task.get(candidate.task_id, (None, None))
    if per_dag is not None and capacity.task_active[candidate.dag_id, candidate.task_id] >= per_dag:
        return True
    return per_run is not None and capacity.task_in_run_active[candidate.run_pk, candidate.task_id] >= per_run


def _is_held(candidate: Candidate, limits: Limits) -> bool:
    names = (candidate.task_id, candidate.map_index), (candidate.task_id, -1)
    return bool(limits.held) and not limits.held.isdisjoint(names)


def _spend(capacity: Capacity, candidate: Candidate) -> None:
    capacity.slots -= 1
    capacity.pool_free[candidate.pool] -= candidate.pool_slots
    capacity.run_active[candidate.run_pk] += 1
    capacity.task_active[candidate.dag_id, candidate.task_id] += 1
    capacity.task_in_run_active[candidate.run_pk, candidate.task_id] += 1
