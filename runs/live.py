"""Decides what the pages learn about changes: a few short queries a second for all who look, whatever their number.

What a page knows is the ids of the newest ``StateChange`` and the newest ``AssetEvent`` that it has seen. Transactions may
commit out of the order of their ids, so each answer reaches a little back; ids travel with the news, and a page ignores what it
has seen.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from time import monotonic

from django.db.models import Max

from runs import live_ring
from runs.live_ring import LATE_SECONDS, Ring
from runs.models import AssetEvent, DagRun, StateChange
from runs.states import TaskInstanceState as S

__all__ = ["LATE_SECONDS", "TICK_SECONDS", "Change", "Feed", "Happened", "News", "Version", "feed"]

TICK_SECONDS = 1.0
SOON, LATER = 1, 5
# In the order of the fields of ``Change``, after ``seen_at``.
_COLUMNS: tuple[str, ...] = (
    *("id", "dag_run_id", "dag_run__dag_id", "dag_run__run_id"),
    *("task_id", "map_index", "try_number", "to_state", "from_state"),
)
# A task that waits for a person is in one of these, an older worker's in the second.
_ASKS = frozenset({S.AWAITING_INPUT, S.DEFERRED})


@dataclass(frozen=True, slots=True)
class Version:
    """How far somebody has seen: ids of a state change and of an asset event; as text ``12-34``."""

    changes: int
    events: int

    @classmethod
    def read(cls, text: str) -> Version | None:
        """Return what a page says that it knows; None for nothing that could be one."""
        parts = text.split("-")
        is_version = len(parts) == 2 and all(part.isdecimal() and part.isascii() and len(part) < 19 for part in parts)
        return cls(*map(int, parts)) if is_version else None

    def __str__(self) -> str:
        return f"{self.changes}-{self.events}"


@dataclass(frozen=True, slots=True)
class Change:
    """A change as pages need it; ``task_id`` is empty for one of the run itself."""

    seen_at: float = field(compare=False)
    id: int
    run: int
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    state: str | None
    before: str | None

    def places(self) -> tuple[str, ...]:
        """Return the topics whose pages show this very change."""
        own = (f"dag:{self.dag_id}", f"run:{self.dag_id}/{self.run_id}")
        return own if self.task_id else (*own, "runs")

    def signals(self) -> tuple[str, ...]:
        """Return the topics whose pages count over many tasks, and need no more than that something happened."""
        if not self.task_id:
            return ()
        return ("tasks", "questions") if self.state in _ASKS or self.before in _ASKS else ("tasks",)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of an asset."""

    seen_at: float = field(compare=False)
    id: int
    asset: int

    def signals(self) -> tuple[str, ...]:
        """Return the topics that it is news for."""
        return ("assets", f"asset:{self.asset}")


@dataclass(frozen=True, slots=True)
class News:
    """What a page gets: ``complete`` False means that it missed changes and has to load anew."""

    version: Version
    changes: list[Change]
    events: list[Happened]
    complete: bool
    next_in: int


class Feed:
    """The newest changes and events, kept by a server process and read at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a restart; for tests, whose databases begin anew."""
        self._changes: Ring[Change] = Ring(_newest_change, _changes_after)
        self._events: Ring[Happened] = Ring(_newest_event, _events_after)
        self._read_at = float("-inf")
        self._next_in = LATER

    def since(self, version: Version | None, topics: frozenset[str]) -> News:
        """Return what is new for some topics since a version; None asks only for the present version."""
        with self._lock:
            now = monotonic()
            if now - self._read_at >= TICK_SECONDS:
                self._read(now)
            newest = Version(self._changes.newest, self._events.newest)
            if version is None:
                return News(newest, [], [], True, self._next_in)
            changes = [c for c in self._changes.since(version.changes, now) if not topics.isdisjoint((*c.places(), *c.signals()))]
            events = [e for e in self._events.since(version.events, now) if not topics.isdisjoint(e.signals())]
            is_complete = self._changes.reaches(version.changes) and self._events.reaches(version.events)
            return News(newest, changes, events, is_complete, self._next_in)

    def _read(self, now: float) -> None:
        self._changes.read(now)
        self._events.read(now)
        self._next_in = SOON if DagRun._base_manager.filter(state__in=["queued", "running"]).exists() else LATER
        self._read_at = now


def _newest_change() -> int:
    return StateChange._base_manager.aggregate(newest=Max("id"))["newest"] or 0


def _changes_after(after: int, now: float) -> list[Change]:
    rows = StateChange._base_manager.filter(id__gt=after).order_by("-id").values_list(*_COLUMNS)
    return [Change(now, *row) for row in reversed(list(rows[: live_ring.KEPT]))]


def _newest_event() -> int:
    return AssetEvent._base_manager.aggregate(newest=Max("id"))["newest"] or 0


def _events_after(after: int, now: float) -> list[Happened]:
    rows = AssetEvent._base_manager.filter(id__gt=after).order_by("-id").values_list("id", "asset_id")
    return [Happened(now, *row) for row in reversed(list(rows[: live_ring.KEPT]))]


feed = Feed()
