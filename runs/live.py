"""Decides what the pages learn about changes: one short query a second for all who look, whatever their number.

The version that a page knows is the id of the newest ``StateChange`` it has seen. Transactions may commit out of the order of
their ids, so each answer reaches a little back; ids travel with the rows, and a page ignores what it has seen.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

from django.db.models import Max

from runs.models import DagRun, StateChange

TICK_SECONDS = 1.0
KEPT = 5000
# How far back late commits are looked for, in ids and in seconds.
LATE_IDS = 1000
LATE_SECONDS = 4.0
SOON, LATER = 1, 5


@dataclass(frozen=True, slots=True)
class Change:
    """A change as pages need it; ``task_id`` is empty for one of the run itself."""

    id: int
    run: int
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    state: str | None
    seen_at: float = field(compare=False, default=0.0)

    def topics(self) -> tuple[str, ...]:
        """Return the topics that this is news for."""
        own = (f"dag:{self.dag_id}", f"run:{self.dag_id}/{self.run_id}")
        return own if self.task_id else (*own, "runs")


@dataclass(frozen=True, slots=True)
class News:
    """What a page gets: ``complete`` False means that it missed changes and has to load anew."""

    version: int
    changes: list[Change]
    complete: bool
    next_in: int


class Feed:
    """The newest changes, kept by a server process and read at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a restart; for tests, whose databases begin anew."""
        self._changes: deque[Change] = deque()
        self._known: set[int] = set()
        self._newest = -1
        self._oldest = 0
        # (when, newest id then): what is older than LATE_SECONDS is complete and is not read again.
        self._marks: deque[tuple[float, int]] = deque()
        self._read_at = float("-inf")
        self._next_in = LATER

    def since(self, version: int, topics: frozenset[str]) -> News:
        """Return what is new for some topics since a version; -1 asks only for the present version."""
        with self._lock:
            if monotonic() - self._read_at >= TICK_SECONDS:
                self._read()
            if version < 0:
                return News(self._newest, [], True, self._next_in)
            late = monotonic() - LATE_SECONDS
            fresh = [c for c in self._changes if c.id > version or (c.seen_at >= late and c.id > version - LATE_IDS)]
            is_complete = version >= self._oldest - 1
            return News(self._newest, [c for c in fresh if not topics.isdisjoint(c.topics())], is_complete, self._next_in)

    def _read(self) -> None:
        now = monotonic()
        if self._newest < 0:
            newest = StateChange._base_manager.aggregate(newest=Max("id"))["newest"] or 0
            self._newest, self._oldest = newest, max(0, newest - LATE_IDS) + 1
            self._marks.append((now, self._oldest - 1))
        while len(self._marks) > 1 and self._marks[1][0] <= now - LATE_SECONDS:
            self._marks.popleft()
        found = read_changes(self._marks[0][1], now)
        if len(found) == KEPT:
            self._oldest = max(self._oldest, found[0].id)
        self._take(found)
        self._marks.append((now, self._newest))
        self._next_in = SOON if DagRun._base_manager.filter(state__in=["queued", "running"]).exists() else LATER
        self._read_at = now

    def _take(self, found: Iterable[Change]) -> None:
        for change in found:
            if change.id in self._known:
                continue
            self._changes.append(change)
            self._known.add(change.id)
            self._newest = max(self._newest, change.id)
        while len(self._changes) > KEPT:
            dropped = self._changes.popleft()
            self._known.discard(dropped.id)
            self._oldest = max(self._oldest, dropped.id + 1)


def read_changes(after: int, now: float) -> list[Change]:
    """Return the changes after an id, the newest ``KEPT`` of them."""
    rows = StateChange._base_manager.filter(id__gt=after).order_by("-id").select_related("dag_run")
    found = rows.only("dag_run__dag_id", "dag_run__run_id", "task_id", "map_index", "try_number", "to_state")[:KEPT]
    return [_change(row, now) for row in reversed(found)]


def _change(row: StateChange, now: float) -> Change:
    run = row.dag_run
    return Change(row.id, run.pk, run.dag_id, run.run_id, row.task_id, row.map_index, row.try_number, row.to_state, now)


feed = Feed()
