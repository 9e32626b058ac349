"""Decides how many instances a mapped task has: from literals at parse time, later from the lengths of results."""

from orchestrator.sdk.serialization.spec import DagSpec, ExpandSpec, TaskSpec


def expand_of(dag: DagSpec, task: TaskSpec) -> ExpandSpec | None:
    """Return what the task is mapped over: its own ``expand``, else that of the mapped group around it, else None."""
    if task.is_mapped:
        return task.expand
    if task.mapped_group_id is None:
        return None
    return next((group.expand for group in dag.task_groups if group.group_id == task.mapped_group_id), None)


def initial_map_indexes(dag: DagSpec, task: TaskSpec) -> list[int]:
    """Return the map indexes that a task has in a new run.

    ``[-1]`` stands for one instance without an index: a plain task, or a mapped one whose length is not known yet or
    is zero (the scheduler then skips it).
    """
    expand = expand_of(dag, task)
    length = expand.length if expand else None
    return list(range(length)) if length else [-1]
