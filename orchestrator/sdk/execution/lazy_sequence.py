"""Decides what a task sees of all results of a mapped task: a sequence that reads an item when somebody looks at it."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, overload

from orchestrator.sdk.exceptions import AirflowRuntimeError
from orchestrator.sdk.execution import xcom

CHUNK = 100  # items that iteration reads with one request


class LazyXComSequence(Sequence[Any]):
    """The values that the indexes of one task pushed under one key, in the order of the indexes.

    An index that pushed nothing has no item. A slice is a list.
    """

    def __init__(self, run_id: str, dag_id: str, task_id: str, key: str) -> None:
        self._where = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
        self._length: int | None = None

    def __repr__(self) -> str:
        if self._length is None:
            return "LazyXComSequence(<unevaluated length>)"
        return f"LazyXComSequence([{self._length} {'item' if self._length == 1 else 'items'}])"

    def __len__(self) -> int:
        if self._length is None:
            self._length = xcom.count(**self._where)
        return self._length

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return list(xcom.get_slice(index, **self._where))
        try:
            offset = operator.index(index)
        except TypeError:
            raise TypeError(f"indices of a LazyXComSequence must be integers or slices, not {type(index).__name__}") from None
        try:
            return xcom.get_item(offset, **self._where)
        except AirflowRuntimeError as error:
            if xcom.is_missing(error):
                raise IndexError(offset) from None
            raise

    def __iter__(self) -> Iterator[Any]:
        start, ended = 0, False
        while not ended:
            number = start
            for item in xcom.get_slice(slice(start, start + CHUNK), **self._where):
                yield item
                number += 1
            start, ended = number, number < start + CHUNK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return all(mine == theirs for mine, theirs in zip_longest(self, other, fillvalue=object()))

    def __hash__(self) -> int:
        return hash(tuple(self))
