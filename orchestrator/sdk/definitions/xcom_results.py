"""Decides what mapped, zipped and joined XCom references give in a running task: lists that work item by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set


def _items(values: Any) -> Any:
    """Return something to index: a dict counts as its pairs."""
    return list(values.items()) if isinstance(values, dict) else values


class MapResult(Sequence[Any]):
    """Items, each put through functions when it is read.

    ``AirflowSkipException`` from a function skips the index that reads the item, or the task that iterates over all.
    """

    def __init__(self, values: Any, callables: list[Callable[[Any], Any]]) -> None:
        self.values, self.callables = _items(values), callables

    def __getitem__(self, index: Any) -> Any:
        value = self.values[index]
        for function in self.callables:
            value = function(value)
        return value

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"_MapResult(value={self.values!r}, callables={self.callables!r})"


class ZipResult(Sequence[Any]):
    """Tuples of items; as long as the shortest, or as the longest with a fill value."""

    def __init__(self, values: list[Any], *, fillvalue: Any = NOTSET) -> None:
        self.values, self.fillvalue = [_items(value) for value in values], fillvalue

    def __getitem__(self, index: Any) -> Any:
        if index >= len(self):
            raise IndexError(index)
        return tuple(value[index] if index < len(value) else self.fillvalue for value in self.values)

    def __repr__(self) -> str:
        return f"_ZipResult(values={self.values!r}, fillvalue={self.fillvalue!r})"

    def __len__(self) -> int:
        lengths = [len(value) for value in self.values]
        return max(lengths) if is_arg_set(self.fillvalue) else min(lengths)


class ConcatResult(Sequence[Any]):
    """All items of several lists."""

    def __init__(self, values: list[Any]) -> None:
        self.values = [_items(value) for value in values]

    def __getitem__(self, index: Any) -> Any:
        if index >= 0:
            for value in self.values:
                if index < len(value):
                    return value[index]
                index -= len(value)
        raise IndexError("index out of range")

    def __len__(self) -> int:
        return sum(len(value) for value in self.values)

    def __repr__(self) -> str:
        return f"_ConcatResult(values={self.values!r})"
