"""Decides how many instances a mapped task has: from literals at parse time, later from the lengths of results."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.sdk.serialization.spec import DagSpec, ExpandSpec, TaskSpec

ResultLength = Callable[[str, str], int | None]
"""Gives the length of what a task pushed under a key; None where it pushed nothing that can be mapped over."""


def expand_of(dag: DagSpec, task: TaskSpec) -> ExpandSpec | None:
    """Return what the task is mapped over: its own ``expand``, else that of the mapped group around it, else None."""
    return next(_inputs(dag, task), None)


def inputs_of(dag: DagSpec, task: TaskSpec) -> list[ExpandSpec]:
    """Return all that makes indexes of the task, innermost first: mapped groups inside of each other multiply."""
    return list(_inputs(dag, task))


def _inputs(dag: DagSpec, task: TaskSpec) -> Iterator[ExpandSpec]:
    if task.is_mapped and task.expand is not None:
        yield task.expand
    elif task.mapped_group_id is not None:
        groups = {group.group_id: group for group in dag.task_groups}
        group = groups.get(task.mapped_group_id)
        while group is not None:
            if group.expand is not None:
                yield group.expand
            group = groups.get(group.parent_id) if group.parent_id is not None else None


def initial_map_indexes(dag: DagSpec, task: TaskSpec) -> list[int]:
    """Return the map indexes that a task has in a new run.

    ``[-1]`` stands for one instance without an index: a plain task, or a mapped one whose length is not known yet or
    is zero (the scheduler then skips it).
    """
    if not task.is_mapped and task.mapped_group_id is None:
        return [-1]
    lengths = [expand.length for expand in _inputs(dag, task)]
    length = _product(lengths) if lengths else None
    return list(range(length)) if length else [-1]


def map_length(dag: DagSpec, task: TaskSpec, result_length: ResultLength) -> int | None:
    """Return the number of indexes of the task, None where something that it is mapped over has no length."""
    inputs = inputs_of(dag, task)
    return _product([expand_length(expand, result_length) for expand in inputs]) if inputs else None


def _product(lengths: list[int | None]) -> int | None:
    known = [length for length in lengths if length is not None]
    return math.prod(known) if len(known) == len(lengths) else None


def expand_length(expand: ExpandSpec, result_length: ResultLength) -> int | None:
    """Return the number of indexes that one ``expand`` makes, None where a result has no length."""
    if expand.length is not None:
        return expand.length
    return _product([_argument_length(value, result_length) for value in expand.arguments.values()])


def _argument_length(value: dict[str, Any], result_length: ResultLength) -> int | None:
    return len(value["literal"]) if "literal" in value else _reference_length(value["xcom"], result_length)


def _reference_length(reference: dict[str, Any], result_length: ResultLength) -> int | None:
    """Return the length of a plain reference, or of map, zip and concat over others."""
    kind = reference.get("type", "plain")
    if kind == "plain":
        return result_length(reference["task_id"], reference.get("key") or "return_value")
    inner = reference.get("args") or [reference["arg"]]
    lengths = [
        _argument_length(item, result_length) if "literal" in item or "xcom" in item else _reference_length(item, result_length)
        for item in inner
    ]
    known = [item for item in lengths if item is not None]
    if len(known) < len(lengths):
        return None
    if kind == "concat":
        return sum(known)
    if kind == "zip":
        return max(known) if "fillvalue" in reference else min(known)
    return known[0]
