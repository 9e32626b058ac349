"""Decides the edges of a graph: those of the tasks, but a group that is put beside something is joined in one point.

``a >> group`` is one edge to the join before the group, and one from there to each first task, instead of one to each.
"""

from __future__ import annotations

from itertools import product

from dags_app.graph.parts import Edge, downstream_join, edge, upstream_join
from dags_app.graph.tree import GroupTree
from orchestrator.sdk.serialization.spec import Json

Pair = tuple[str, str]


def edges(tree: GroupTree, edge_info: dict[str, dict[str, Json]]) -> list[Edge]:
    """Return the edges by source and target; ``edge_info`` has the labels that the author wrote."""
    drawn, replaced = _of_tasks(tree), set[Pair]()
    for group_id in tree.groups:
        _join_with_tasks(tree, group_id, drawn, replaced)
        for other in tree.groups_after(group_id):
            _join_with_group(tree, group_id, other, drawn, replaced)
    return [_edge(tree, pair, edge_info) for pair in sorted(drawn - replaced)]


def _of_tasks(tree: GroupTree) -> set[Pair]:
    return {(task_id, down) for task_id, task in tree.tasks.items() for down in task.downstream_task_ids if down in tree.tasks}


def _join_with_tasks(tree: GroupTree, group_id: str, drawn: set[Pair], replaced: set[Pair]) -> None:
    if before := tree.tasks_before(group_id):
        join, first = upstream_join(group_id), tree.first(group_id)
        drawn |= {*product(before, [join]), *product([join], first)}
        replaced |= {*product(before, first)}
    if after := tree.tasks_after(group_id):
        join, last = downstream_join(group_id), tree.last(group_id)
        drawn |= {*product(last, [join]), *product([join], after)}
        replaced |= {*product(last, after)}


def _join_with_group(tree: GroupTree, group_id: str, other: str, drawn: set[Pair], replaced: set[Pair]) -> None:
    """Lead from join to join; what the tasks of one side have with the other as a whole is in that edge too."""
    leave, enter = downstream_join(group_id), upstream_join(other)
    last, first = tree.last(group_id), tree.first(other)
    drawn |= {(leave, enter), *product(last, [leave]), *product([enter], first)}
    replaced |= {*product(last, first), *product(last, [enter]), *product([leave], first)}


def _edge(tree: GroupTree, pair: Pair, edge_info: dict[str, dict[str, Json]]) -> Edge:
    up, down = tree.tasks.get(pair[0]), tree.tasks.get(pair[1])
    is_scope = up is not None and down is not None and up.is_setup and down.is_teardown
    label = edge_info.get(pair[0], {}).get(pair[1], {}).get("label")
    return edge(*pair, is_setup_teardown=True if is_scope else None, label=label)
