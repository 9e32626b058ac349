"""Decides which file is parsed next, so that one slow file delays no other: slow ones have a lane of their own (C06-e)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orchestrator.kernel.clock import monotonic

SLOW_SECONDS = 2.0

Key = tuple[str, str]


class Lanes:
    """Places for ``processes`` quick files, and one more for a file that is slow, or turns out to be.

    A file is slow when its last parse took more than two seconds, or when this one has. Quick files never wait for a slow
    one as long as no more than ``processes`` unknown files turn out to be slow at once.
    """

    def __init__(self, processes: int, now: Callable[[], float] = monotonic) -> None:
        self._processes, self._now = max(1, processes), now
        self._begun: dict[int, tuple[float, bool]] = {}

    def started(self, number: int, last_seconds: float) -> None:
        """Note that a parse began; ``last_seconds`` is what the parse before took."""
        self._begun[number] = (self._now(), last_seconds > SLOW_SECONDS)

    def ended(self, number: int) -> None:
        """Note that a parse ended; unknown ones are nobody's."""
        self._begun.pop(number, None)

    def next_of(self, waiting: Iterable[Key], last_seconds: Callable[[Key], float]) -> Key | None:
        """Return the first file that has a place now, None where none has."""
        slow = sum(self._is_slow(*begun) for begun in self._begun.values())
        # As many slow ones as there are processes leave their places to others; a known one starts only where none runs.
        has_quick = len(self._begun) - min(slow, self._processes) < self._processes
        for key in waiting if has_quick or not slow else ():
            if (not slow) if last_seconds(key) > SLOW_SECONDS else has_quick:
                return key
        return None

    def _is_slow(self, began: float, is_known: bool) -> bool:
        return is_known or self._now() - began > SLOW_SECONDS
