"""Decides which rows of a table that only grows are news since an id: the newest are kept, late commits are looked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

KEPT = 5000
# How far back late commits are looked for, in ids and in seconds.
LATE_IDS = 1000
LATE_SECONDS = 4.0


class Row(Protocol):
    """What a ring keeps of a row."""

    @property
    def id(self) -> int:
        """Its id, which grows."""

    @property
    def seen_at(self) -> float:
        """When this process read it."""


T = TypeVar("T", bound=Row)


class Ring(Generic[T]):
    """The newest rows of one table; the caller reads one tick at a time."""

    def __init__(self, newest_id: Callable[[], int], rows_after: Callable[[int, float], Sequence[T]]) -> None:
        """Take how the newest id is asked for, and the rows after an id (at most ``KEPT``, in order, with the present time)."""
        self._newest_id, self._rows_after = newest_id, rows_after
        self._rows: deque[T] = deque()
        self._known: set[int] = set()
        self.newest = -1
        self.oldest = 0
        # (when, newest id then): what is older than LATE_SECONDS is complete and is not read again.
        self._marks: deque[tuple[float, int]] = deque()

    def read(self, now: float) -> None:
        """Read what came since the last tick; the first one only finds out where the table is."""
        if self.newest < 0:
            self.newest = self._newest_id()
            self.oldest = max(0, self.newest - LATE_IDS) + 1
            self._marks.append((now, self.oldest - 1))
        while len(self._marks) > 1 and self._marks[1][0] <= now - LATE_SECONDS:
            self._marks.popleft()
        found = self._rows_after(self._marks[0][1], now)
        if len(found) == KEPT:
            self.oldest = max(self.oldest, found[0].id)
        self._take(found)
        self._marks.append((now, self.newest))

    def since(self, version: int, now: float) -> list[T]:
        """Return the rows after an id, and those before it that may have been committed late."""
        late = now - LATE_SECONDS
        return [row for row in self._rows if row.id > version or (row.seen_at >= late and row.id > version - LATE_IDS)]

    def reaches(self, version: int) -> bool:
        """Return whether nothing after the id is missing."""
        return version >= self.oldest - 1

    def _take(self, found: Sequence[T]) -> None:
        for row in found:
            if row.id in self._known:
                continue
            self._rows.append(row)
            self._known.add(row.id)
            self.newest = max(self.newest, row.id)
        while len(self._rows) > KEPT:
            dropped = self._rows.popleft()
            self._known.discard(dropped.id)
            self.oldest = max(self.oldest, dropped.id + 1)
