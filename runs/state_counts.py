"""Decides how the states of many task instances are summed up: a number per state and a mask of the states present.

Every rule of ``dependencies`` reads only the mask, so a counter asks for a new decision only when its mask changes.
"""

from typing import Final

from runs.states import State, TaskInstanceState

SUCCESS: Final = 1
FAILED: Final = 2
UPSTREAM_FAILED: Final = 4
SKIPPED: Final = 8
REMOVED: Final = 16
UNFINISHED: Final = 32

ANY_FAILED: Final = FAILED | UPSTREAM_FAILED

_FINISHED_BITS: Final[dict[State, int]] = {
    TaskInstanceState.SUCCESS: SUCCESS,
    TaskInstanceState.FAILED: FAILED,
    TaskInstanceState.UPSTREAM_FAILED: UPSTREAM_FAILED,
    TaskInstanceState.SKIPPED: SKIPPED,
    TaskInstanceState.REMOVED: REMOVED,
}
BITS: Final[dict[State, int]] = {state: _FINISHED_BITS.get(state, UNFINISHED) for state in (None, *TaskInstanceState)}


class StateCounts:
    """How many instances are in each of the five finished states, and how many are unfinished.

    ``present`` is the mask of the bits whose number is not zero. States are given as their bit (``BITS[state]``).
    """

    __slots__ = ("numbers", "present")

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.present = 0

    def add(self, bit: int) -> bool:
        """Count one more instance; return whether the mask changed."""
        number = self.numbers.get(bit, 0)
        self.numbers[bit] = number + 1
        self.present |= bit
        return number == 0

    def drop(self, bit: int) -> bool:
        """Count one instance less; return whether the mask changed. Dropping what was never added is an error."""
        number = self.numbers[bit] - 1
        if number < 0:
            raise ValueError(f"state counter for bit {bit} would fall below zero: it was not added before")
        self.numbers[bit] = number
        if number:
            return False
        self.present ^= bit
        return True

    def move(self, old: int, new: int) -> bool:
        """Count an instance that went from one bit to another; return whether the mask changed."""
        dropped = self.drop(old)
        return self.add(new) or dropped

    def number(self, bits: int) -> int:
        """Return how many instances are in any of the given bits."""
        return sum(number for bit, number in self.numbers.items() if bit & bits)
