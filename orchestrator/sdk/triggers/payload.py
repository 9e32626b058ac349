"""Decides in which form an event's payload reaches the task: as in Airflow, where tuples and sets arrive as lists."""

from __future__ import annotations

from typing import Any


def with_lists(value: Any) -> Any:
    """Return the value with every tuple and set in it, at any depth of lists and dicts, as a list; the rest is as it was.

    A set becomes a list in the order in which it iterates. Raises ``RecursionError`` for a value that contains itself.
    """
    if isinstance(value, list | tuple | set | frozenset):
        return [with_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: with_lists(item) for key, item in value.items()}
    return value
