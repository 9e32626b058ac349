"""Decides how long work tells how far it is: a bar on a terminal, otherwise a plain line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TextIO, TypeVar

from orchestrator.kernel.clock import monotonic

WIDTH = 30
BAR_SECONDS = 0.1
LINE_SECONDS = 10.0

Item = TypeVar("Item")


class Progress:
    """How far some work is.

    Args:
        what: of what there are so many, such as ``rows deleted``.
        total: how many there will be; None where nobody knows.
        stream: standard error by default, so that output which a program reads stays clean.
    """

    def __init__(
        self, what: str, total: int | None = None, stream: TextIO | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._stream = stream or sys.stderr
        self._clock = clock
        self._is_bar = self._stream.isatty()
        self._began = self._told = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_bar and self.done:
            self._stream.write(f"\r{self._text('')}\033[K\n")
            self._stream.flush()

    def add(self, number: int = 1, now_at: str = "") -> None:
        """Count ``number`` more; ``now_at`` names what is at hand."""
        self.done += number
        now = self._clock()
        if now - self._told < (BAR_SECONDS if self._is_bar else LINE_SECONDS):
            return
        self._told = now
        self._stream.write(f"\r{self._text(now_at)}\033[K" if self._is_bar else f"{self._text(now_at)}\n")
        self._stream.flush()

    def part(self, number: int, total: int) -> None:
        """Count ``number`` more of ``total``."""
        self.total = total
        self.add(number)

    def through(self, names: Sequence[str]) -> Iterator[str]:
        """Go through ``names``, all that there are to do."""
        self.total = len(names)
        return self.over(names, str)

    def over(self, items: Iterable[Item], name: Callable[[Item], str] = lambda item: "") -> Iterator[Item]:
        """Go through ``items`` and count each when it is done."""
        for item in items:
            yield item
            self.add(1, name(item))

    def _text(self, now_at: str) -> str:
        seconds = max(self._clock() - self._began, 0.001)
        parts = [f"{self.done:,}" + (f" of {self.total:,}" if self.total else "") + f" {self.what}"]
        if self.total and self._is_bar:
            share = min(self.done / self.total, 1.0)
            parts[0] = f"[{'#' * int(WIDTH * share):<{WIDTH}}] {share:4.0%}  {parts[0]}"
        if self.total and 0 < self.done < self.total:
            parts.append(f"{seconds / self.done * (self.total - self.done):.0f} s left")
        return "  ".join([*parts, now_at] if now_at else parts)
