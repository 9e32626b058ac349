"""Decides which indexes of an upstream task an instance looks at: those that share its place in a mapped group."""

from __future__ import annotations

from itertools import takewhile
from typing import Any


def relevant_indexes(task: Any, upstream: Any, map_index: int) -> int | range | None:
    """Return the index of ``upstream``, the range of them in a group mapped further inside, or None for all.

    Groups inside of a mapped group multiply its indexes: index ``i`` of the inner one belongs to ``i // length`` outside.
    """
    mine, theirs = list(task.iter_mapped_task_groups()), list(upstream.iter_mapped_task_groups())
    common = next((group for group in theirs if group in mine), None)
    if common is None or map_index < 0:
        return None
    inside, further = _length_inside(mine, common), _length_inside(theirs, common)
    if inside is None or further is None:
        return None
    first = map_index // inside * further
    return first if further == 1 and theirs[0] is common else range(first, first + further)


def _length_inside(groups: list[Any], ancestor: Any) -> int | None:
    """Return how many indexes the groups inside of ``ancestor`` make of each of its own, None if it is not known yet."""
    total = 1
    for group in takewhile(lambda item: item is not ancestor, groups):
        length = group.expand_input.parse_time_length()
        if length is None:
            return None
        total *= length
    return total
