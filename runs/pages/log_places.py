"""Decides in which order several logs are looked through and where one goes on, so that no change meanwhile hides a log.

Tasks move while a run goes on: they fail, are tried again, are cleared. So logs are in the order of what never changes, the task,
the index and the number of the try; a place names these, and which tasks the search had put before all others when it began.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from runs.models import AttemptFields

# So many tasks may come before all others: a place, which is part of an address, names each of them.
MOST_FIRST = 20
Key = tuple[int, str, int, int]
First = tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Logs:
    """Logs in their order; ``first``: an attempt of each task that comes before all others."""

    rows: Sequence[AttemptFields]
    keys: Sequence[Key]
    first: First = ()

    def place(self, number: int, byte: int) -> str:
        """Return the place of a byte in the log of that number: ``BYTE.TRY.INDEX.RANK.FIRST.TASK``."""
        rank, task_id, map_index, tries = self.keys[number]
        first = urlsafe_b64encode(b"".join(pk.bytes for pk in self.first)).decode().rstrip("=")
        return f"{byte}.{-tries}.{map_index}.{rank}.{first}.{task_id}"

    def start(self, place: str) -> tuple[int, int]:
        """Return at which log and byte a place is, or the next log where it is gone; what makes no sense is the beginning."""
        try:
            byte, key, _ = _read(place)
        except ValueError:
            return 0, 0
        number = bisect_left(self.keys, key)
        return number, byte if number < len(self.keys) and self.keys[number] == key else 0


def in_order(rows: Iterable[AttemptFields], first: First = ()) -> Logs:
    """Return logs in their order, of a task the newest try first; no two may be of the same try."""
    found = list(rows)
    ranks = {(row.task_id, row.map_index): first.index(row.pk) for row in found if row.pk in first}

    def key(row: AttemptFields) -> Key:
        return ranks.get((row.task_id, row.map_index), len(first)), row.task_id, row.map_index, -row.try_number

    found.sort(key=key)
    return Logs(found, [key(row) for row in found], first)


def first_of(place: str) -> First | None:
    """Return which tasks came before all others when the search began; None where the place makes no sense."""
    try:
        return _read(place)[2]
    except ValueError:
        return None


def _read(place: str) -> tuple[int, Key, First]:
    """Raises ``ValueError`` where it is none."""
    byte, try_number, map_index, rank, first, task_id = place.split(".", 5)
    numbers = [int(number) for number in (byte, rank, map_index, try_number) if len(number) < 16]
    known = urlsafe_b64decode(first[: 22 * MOST_FIRST] + "==")
    if len(numbers) < 4 or numbers[0] < 0 or len(known) % 16:
        raise ValueError(place)
    pks = tuple(UUID(bytes=known[at : at + 16]) for at in range(0, len(known), 16))
    return numbers[0], (numbers[1], task_id, numbers[2], -numbers[3]), pks
