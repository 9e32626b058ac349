"""Decides how counts become the parts of a meter: where each begins and how wide it is, in per cent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a meter: its family of colours, what it counts, where it begins and how wide it is, in per cent."""

    family: str
    word: str
    number: int
    at: float
    width: float

    def __str__(self) -> str:
        return f"{self.number:,} {self.word}"


def parts_of(counts: Iterable[tuple[str, str, int]], total: int) -> list[Part]:
    """Return the parts, without those that count nothing. ``counts`` has (family, word, number)."""
    found: list[Part] = []
    at = 0.0
    for family, word, number in counts:
        if number:
            width = 100 * number / max(total, 1)
            found.append(Part(family, word, number, round(at, 2), round(width, 2)))
            at += width
    return found
