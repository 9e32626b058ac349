"""Decides the nodes of a graph: tasks, groups with what is in them, and the joins before and after a group."""

from __future__ import annotations

from dags_app.graph.parts import Node, downstream_join, node, upstream_join
from dags_app.graph.tree import GroupTree
from orchestrator.sdk.serialization.spec import TaskSpec


def nodes(tree: GroupTree, group_id: str | None = None) -> list[Node]:
    """Return what is directly in a group, None for the whole DAG, upstream first; groups hold theirs in ``children``."""
    return [_group(tree, name) if name in tree.groups else _task(tree.tasks[name]) for name in tree.members(group_id)]


def _task(task: TaskSpec) -> Node:
    return node(
        task.task_id,
        task.label or task.task_id,
        "task",
        is_mapped=True if task.is_mapped or task.mapped_group_id is not None else None,
        setup_teardown_type="setup" if task.is_setup else "teardown" if task.is_teardown else None,
        operator=task.operator_name or task.task_type,
    )


def _group(tree: GroupTree, group_id: str) -> Node:
    group, children = tree.groups[group_id], nodes(tree, group_id)
    if tree.has_before(group_id):
        children.append(node(upstream_join(group_id), "", "join"))
    if tree.has_after(group_id):
        children.append(node(downstream_join(group_id), "", "join"))
    label = group.display_name or group.label
    return node(group_id, label, "task", children=children, is_mapped=group.is_mapped, tooltip=group.tooltip)
