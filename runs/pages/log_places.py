"""Decides in which order several logs are looked through and where one goes on, so that no change meanwhile hides a log.

Tasks move while a run goes on: they fail, are tried again, are cleared. So logs are in the order of what never changes, the task,
the index and the number of the try; a place names these, and which tasks the search had put before all others when it began.
Before the task comes a rank, a few numbers: of the logs of many runs it is the run's.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from runs.models import AttemptFields

# So many tasks may come before all others: a place, which is part of an address, names each of them.
MOST_FIRST = 20
LONGEST_NUMBER = 18
Rank = tuple[int, ...]
Key = tuple[Rank, str, int, int]
First = tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Logs:
    """Logs in their order.

    ``first``: an attempt of each task that comes before all others; ``rest``: the place of the logs behind these, where there
    are more than are looked through at once.
    """

    rows: Sequence[AttemptFields]
    keys: Sequence[Key]
    first: First = ()
    rest: str = ""

    def place(self, number: int, byte: int) -> str:
        """Return the place of a byte in the log of that number."""
        return place_of(self.keys[number], byte, self.first)

    def start(self, place: str) -> tuple[int, int]:
        """Return at which log and byte a place is, or the next log where it is gone; what makes no sense is the beginning."""
        try:
            byte, key, _ = read_place(place)
        except ValueError:
            return 0, 0
        if not self.keys or len(key[0]) != len(self.keys[0][0]):  # the place of another kind of search
            return 0, 0
        number = bisect_left(self.keys, key)
        return number, byte if number < len(self.keys) and self.keys[number] == key else 0


def in_order(rows: Iterable[AttemptFields], rank: Callable[[AttemptFields], Rank] | None = None) -> Logs:
    """Return logs in their order: by rank, and of a task the newest try first; no two may be of the same try."""

    def key(row: AttemptFields) -> Key:
        return rank(row) if rank else (), row.task_id, row.map_index, -row.try_number

    found = sorted(rows, key=key)
    return Logs(found, [key(row) for row in found])


def first_of(place: str) -> First | None:
    """Return which tasks came before all others when the search began; None where the place makes no sense."""
    try:
        return read_place(place)[2]
    except ValueError:
        return None


def place_of(key: Key, byte: int = 0, first: First = ()) -> str:
    """Return the place of a byte in the log of that key: ``BYTE.TRY.INDEX.RANK.FIRST.TASK``."""
    rank, task_id, map_index, tries = key
    known = urlsafe_b64encode(b"".join(pk.bytes for pk in first)).decode().rstrip("=")
    return f"{byte}.{-tries}.{map_index}.{'_'.join(map(str, rank))}.{known}.{task_id}"


def read_place(place: str) -> tuple[int, Key, First]:
    """Return the byte, the key and what came first. Raises ``ValueError`` where it is no place."""
    byte, try_number, map_index, rank, first, task_id = place.split(".", 5)
    numbers = [_number(text) for text in (byte, map_index, try_number)]
    known = urlsafe_b64decode(first[: 22 * MOST_FIRST] + "==")
    if numbers[0] < 0 or len(known) % 16:
        raise ValueError(place)
    pks = tuple(UUID(bytes=known[at : at + 16]) for at in range(0, len(known), 16))
    return numbers[0], (tuple(map(_number, rank.split("_"))) if rank else (), task_id, numbers[1], -numbers[2]), pks


def _number(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(text)
    return int(text)
