"""Decides how an argument that was not given is told from None."""

from __future__ import annotations

from typing import Any


class ArgNotSet:
    """Type of ``NOTSET``."""

    def __repr__(self) -> str:
        return "NOTSET"

    def __bool__(self) -> bool:
        return True

    def __copy__(self) -> ArgNotSet:
        return self

    def __deepcopy__(self, memo: object) -> ArgNotSet:
        return self

    def __reduce__(self) -> str:
        return "NOTSET"


class SetDuringExecution(ArgNotSet):
    """A template field that gets its value only when the task runs."""

    @staticmethod
    def serialize() -> str:
        """Return the text that is shown before the task has run."""
        return "DYNAMIC (set during execution)"

    def __repr__(self) -> str:
        return self.serialize()

    def __reduce__(self) -> str:
        return "SET_DURING_EXECUTION"


NOTSET = ArgNotSet()
SET_DURING_EXECUTION = SetDuringExecution()


def is_arg_set(value: Any) -> bool:
    """Return whether the author gave a value (None counts as one)."""
    return not isinstance(value, ArgNotSet)
