"""Decides which tasks of a DAG others map over: their results must be sequences, and their lengths are reported."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

_OF_DAG: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()


def tasks_mapped_over(dag: Any) -> frozenset[str]:
    """Return the ids of the tasks; found once per process and inherited by forks, since it looks at the whole DAG."""
    try:
        found = _OF_DAG.get(dag)
        if found is None:
            found = _OF_DAG[dag] = _find(dag)
    except TypeError:  # the DAG object can be neither hashed nor referenced weakly
        found = _find(dag)
    return found


def _find(dag: Any) -> frozenset[str]:
    mapped = [node for node in (*dag.tasks, *dag.task_group.get_task_group_dict().values()) if getattr(node, "is_mapped", False)]
    return frozenset(task.task_id for node in mapped for task in node.iter_mapped_dependencies())
