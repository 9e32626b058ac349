"""Decides how large amounts are cut into short transactions."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """``items`` in slices of at most ``size``, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def repeat_until_short(step: Callable[[int], int], size: int, rounds: int) -> tuple[int, bool]:
    """Call ``step(size)``, which says how many it did, until a batch is short or ``rounds`` are over.

    Returns how many were done and whether there may be more.
    """
    total = 0
    for _ in range(rounds):
        done = step(size)
        total += done
        if done < size:
            return total, False
    return total, True
