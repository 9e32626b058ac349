"""Decides the order of tasks: upstream first, ties in the order of definition; and finds circles."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.sdk.exceptions import AirflowDagCycleException


def topological_order(names: Iterable[str], upstream: Mapping[str, Iterable[str]], dag_id: str) -> list[str]:
    """Return the names so that each comes after its upstream names; cost O((n + edges) log n).

    Raises ``AirflowDagCycleException`` that spells out one circle.
    """
    position = {name: index for index, name in enumerate(names)}
    waiting = {name: {up for up in upstream.get(name, ()) if up in position} for name in position}
    downstream: dict[str, list[str]] = {name: [] for name in position}
    for name, ups in waiting.items():
        for up in ups:
            downstream[up].append(name)
    missing = {name: len(ups) for name, ups in waiting.items()}
    ready = [index for name, index in position.items() if not missing[name]]
    by_position = list(position)
    order: list[str] = []
    while ready:
        name = by_position[heapq.heappop(ready)]
        order.append(name)
        for down in downstream[name]:
            missing[down] -= 1
            if not missing[down]:
                heapq.heappush(ready, position[down])
    if len(order) < len(position):
        raise AirflowDagCycleException(_cycle_message(waiting, {n for n, count in missing.items() if count}, dag_id))
    return order


def _cycle_message(upstream: Mapping[str, set[str]], stuck: set[str], dag_id: str) -> str:
    """Return the error for names that wait for each other: follow upstream names until one comes again."""
    path, seen = [min(stuck)], dict[str, int]()
    while path[-1] not in seen:
        seen[path[-1]] = len(path) - 1
        path.append(min(upstream[path[-1]] & stuck))
    circle = list(reversed(path[seen[path[-1]] :]))
    return f"Cycle detected in DAG {dag_id!r}: {' -> '.join(circle)}. Remove one of these dependencies."


def sort_members(group: Any) -> list[Any]:
    """Return the direct members of a group, upstream first; an edge into an inner group counts for the group."""
    owner = {task.node_id: child_id for child_id, child in group.children.items() for task in _tasks(child)}
    upstream: dict[str, set[str]] = {child_id: set() for child_id in group.children}
    for child_id, child in group.children.items():
        for task in _tasks(child):
            upstream[child_id] |= {owner[up] for up in task.upstream_task_ids if up in owner} - {child_id}
    order = topological_order(group.children, upstream, group.dag.dag_id)
    return [group.children[child_id] for child_id in order]


def _tasks(child: Any) -> list[Any]:
    return list(child.iter_tasks()) if hasattr(child, "iter_tasks") else [child]
