"""Decides how tasks are put together in groups: prefixes, unique ids, and edges to and from a whole group."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.definitions import group_members
from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.dependency import Others, flatten
from orchestrator.sdk.definitions.node import DAGNode, validate_group_key
from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.exceptions import AirflowException, DuplicateTaskIdFound, NodeNotFound, TaskAlreadyInTaskGroup

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.edges import EdgeModifier


class TaskGroup(DAGNode):
    """A group of tasks; ids of its members begin with the id of the group unless ``prefix_group_id`` is False."""

    def __init__(
        self,
        group_id: str | None,
        group_display_name: str = "",
        prefix_group_id: bool = True,
        parent_group: TaskGroup | None = NOTSET,  # type: ignore[assignment]
        dag: Any = NOTSET,
        default_args: dict[str, Any] | None = None,
        tooltip: str = "",
        doc_md: str | None = None,
        ui_color: str = "CornflowerBlue",
        ui_fgcolor: str = "#000",
        add_suffix_on_collision: bool = False,
        deadline: Any = None,
    ) -> None:
        if group_id is not None:
            validate_group_key(group_id)
        self._group_id, self.group_display_name, self.prefix_group_id = group_id, group_display_name, prefix_group_id
        self.default_args = copy.copy(default_args) if default_args else {}
        self.tooltip, self.doc_md = tooltip, doc_md
        self.deadline_alerts = [] if not deadline else list(deadline) if isinstance(deadline, list | tuple) else [deadline]
        self.ui_color, self.ui_fgcolor = ui_color, ui_fgcolor
        self.add_suffix_on_collision = add_suffix_on_collision
        self.children: dict[str, DAGNode] = {}
        self.upstream_group_ids: set[str | None] = set()
        self.downstream_group_ids: set[str | None] = set()
        self.upstream_task_ids, self.downstream_task_ids = set(), set()
        self._join(parent_group, dag)

    def _join(self, parent: Any, dag: Any) -> None:
        self.dag = dag if is_arg_set(dag) else DagContext.get_current()
        if not is_arg_set(parent):
            parent = None if self._group_id is None else TaskGroupContext.get_current(self.dag)
        self.parent_group: TaskGroup | None = parent
        if self.dag is None and parent is not None:
            self.dag = parent.dag
        if self.dag is None:
            raise RuntimeError(f"TaskGroup {self._group_id!r} is in no DAG; create it inside `with DAG(...)` or pass dag=")
        self.used_group_ids: set[str | None] = parent.used_group_ids if parent is not None else set()
        self._take_unique_id()
        if parent is not None:
            parent.add(self)

    def _take_unique_id(self) -> None:
        if self._group_id is None:
            return
        if self.group_id in self.used_group_ids:
            if not self.add_suffix_on_collision:
                raise DuplicateTaskIdFound(f"group_id {self.group_id!r} is already used in DAG {self.dag.dag_id!r}")
            base = re.split(r"__\d+$", self._group_id)[0]
            number = 1
            while self.child_id_in_parent(f"{base}__{number}") in self.used_group_ids:
                number += 1
            self._group_id = f"{base}__{number}"
        self.used_group_ids.add(self.group_id)
        # Names of the two drawn points that stand for "all before" and "all after" the group.
        self.used_group_ids.update((self.upstream_join_id, self.downstream_join_id))

    @classmethod
    def create_root(cls, dag: Any) -> TaskGroup:
        """Return the group without id that holds everything in a DAG."""
        return cls(group_id=None, dag=dag, parent_group=None)

    def has_dag(self) -> bool:
        """Return whether the group is in a DAG."""
        return self.dag is not None

    @property
    def task_group(self) -> TaskGroup | None:
        """Return the enclosing group."""
        return self.parent_group

    @property
    def is_root(self) -> bool:
        """Return whether this is the DAG's own group."""
        return not self._group_id

    @property
    def group_id(self) -> str | None:
        """Return the id with the prefixes of the enclosing groups; None for the root."""
        return None if self._group_id is None else self.child_id_in_parent(self._group_id)

    @property
    def node_id(self) -> str:
        """Return the id."""
        return self.group_id or ""

    @property
    def label(self) -> str | None:
        """Return the id without prefixes, or the display name."""
        return self.group_display_name or self._group_id

    def child_id_in_parent(self, label: str) -> str:
        """Return what ``label`` is called beside this group."""
        return self.parent_group.child_id(label) if self.parent_group is not None else label

    def child_id(self, label: str) -> str:
        """Return the id of a member called ``label``."""
        return f"{self.group_id}.{label}" if self.prefix_group_id and self.group_id else label

    @property
    def upstream_join_id(self) -> str:
        """Return the id of the drawn point before the group."""
        return f"{self.group_id}.upstream_join_id"

    @property
    def downstream_join_id(self) -> str:
        """Return the id of the drawn point after the group."""
        return f"{self.group_id}.downstream_join_id"

    def add(self, task: DAGNode) -> DAGNode:
        """Take in a task or group; raises ``DuplicateTaskIdFound`` or ``TaskAlreadyInTaskGroup``."""
        existing = getattr(task, "task_group", None)
        if existing is not None and existing is not self:
            raise TaskAlreadyInTaskGroup(task.node_id, existing.node_id, self.node_id)
        key = task.node_id
        if key in self.children:
            kind = "Group" if isinstance(task, TaskGroup) else "Task"
            raise DuplicateTaskIdFound(f"{kind} id {key!r} is already used in DAG {self.dag.dag_id!r}")
        if isinstance(task, TaskGroup) and task.children and task.dag is not self.dag:
            raise AirflowException(f"Group {key!r} belongs to DAG {task.dag.dag_id!r}, not to {self.dag.dag_id!r}")
        self.children[key] = task
        return task

    def _remove(self, task: DAGNode) -> None:
        self.children.pop(task.node_id)

    def __enter__(self) -> TaskGroup:
        TaskGroupContext.push(self)
        return self

    def __exit__(self, *_: Any) -> None:
        TaskGroupContext.pop()

    def __iter__(self) -> Iterator[DAGNode]:
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child
            else:
                yield child

    def iter_tasks(self) -> Iterator[Any]:
        """Return all tasks in this group and the groups in it."""
        return group_members.iter_tasks(self)

    def has_task(self, task: Any) -> bool:
        """Return whether the task is in this group or in one in it."""
        group = task.task_group
        while group is not None and group is not self:
            group = group.parent_group
        return group is self

    def get_roots(self) -> Iterator[Any]:
        """Return the first tasks."""
        return group_members.first_tasks(self)

    def get_leaves(self) -> Iterator[Any]:
        """Return the last tasks."""
        return group_members.last_tasks(self)

    @property
    def roots(self) -> Iterable[Any]:
        """Return the first tasks."""
        return list(self.get_roots())

    @property
    def leaves(self) -> Iterable[Any]:
        """Return the last tasks."""
        return list(self.get_leaves())

    def get_child_by_label(self, label: str) -> DAGNode:
        """Return the member called ``label``; raises ``KeyError``."""
        return self.children[self.child_id(label)]

    def __getitem__(self, label: str) -> DAGNode:
        try:
            return self.get_child_by_label(label)
        except KeyError:
            there = ", ".join(map(repr, self.children)) or "nothing"
            raise NodeNotFound(f"Group {self.group_id!r} has no member {label!r}; it has {there}") from None

    def get_task_group_dict(self) -> dict[str | None, TaskGroup]:
        """Return this group and all groups in it by id."""
        found: dict[str | None, TaskGroup] = {self.group_id: self}
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                found.update(child.get_task_group_dict())
        return found

    def iter_mapped_task_groups(self) -> Iterator[Any]:
        """Return the mapped groups around the members, innermost first, this one included."""
        group: TaskGroup | None = self
        while group is not None:
            if getattr(group, "is_mapped", False):
                yield group
            group = group.parent_group

    is_mapped = False

    def hierarchical_alphabetical_sort(self) -> list[DAGNode]:
        """Return the members by name, groups before tasks."""
        return sorted(self.children.values(), key=lambda node: (not isinstance(node, TaskGroup), node.node_id))

    def topological_sort(self, **_: Any) -> list[DAGNode]:
        """Return the members so that each comes after all it depends on, groups taken as one node."""
        from orchestrator.sdk.definitions.ordering import sort_members

        return sort_members(self)

    def update_relative(self, other: Any, upstream: bool = True, edge_modifier: EdgeModifier | None = None) -> None:
        """Hear that a task or group is now beside this group, and remember it for drawing."""
        if isinstance(other, TaskGroup):
            self._note_group(other, upstream, edge_modifier)
        else:
            self._note_tasks(other, upstream, edge_modifier)
        self._pass_on(other, upstream, edge_modifier)

    def _note_tasks(self, other: Any, upstream: bool, edge_modifier: EdgeModifier | None) -> None:
        for task in other.roots if not upstream else other.leaves:
            (self.upstream_task_ids if upstream else self.downstream_task_ids).add(task.node_id)
            if edge_modifier and upstream:
                edge_modifier.add_edge_info(self.dag, task.node_id, self.upstream_join_id)
            elif edge_modifier:
                edge_modifier.add_edge_info(self.dag, self.downstream_join_id, task.node_id)

    def _pass_on(self, other: Any, upstream: bool, edge_modifier: EdgeModifier | None) -> None:
        """Put what comes before a group without work (empty, or setups and teardowns alone) before what comes after it.

        Such a group has no last task that could do it. The last tasks of a group before it are heard of one by one.
        """
        if upstream and (isinstance(other, TaskGroup) or not (self.downstream_task_ids or self.downstream_group_ids)):
            return
        if self.leaves:
            return
        if upstream:
            other.set_downstream(self._after())
        else:
            for task in group_members.tasks_before(self):
                task.set_downstream(other, edge_modifier)

    def _after(self) -> list[DAGNode]:
        """Return the tasks and groups that come after this group."""
        groups = self.dag.task_group.get_task_group_dict() if self.downstream_group_ids else {}
        tasks = [self.dag.get_task(task_id) for task_id in sorted(self.downstream_task_ids)]
        return [*tasks, *(groups[group_id] for group_id in sorted(map(str, self.downstream_group_ids)))]

    def _note_group(self, other: TaskGroup, upstream: bool, edge_modifier: EdgeModifier | None) -> None:
        first, second = (other, self) if upstream else (self, other)
        first.downstream_group_ids.add(second.group_id)
        second.upstream_group_ids.add(first.group_id)
        if edge_modifier:
            edge_modifier.add_edge_info(self.dag, first.downstream_join_id, second.upstream_join_id)

    def _set_relatives(self, others: Others, upstream: bool = False, edge_modifier: EdgeModifier | None = None) -> None:
        from orchestrator.sdk.definitions.edges import EdgeModifier

        for other in flatten(others):
            if isinstance(other, EdgeModifier):
                # The label hears of the group as a whole and calls back when it knows its other side.
                other.update_relative(self, not upstream)
                continue
            for task in self.roots if upstream else self.leaves:
                task._set_relatives(other, upstream)
            self.update_relative(other, upstream, edge_modifier)
            if isinstance(other, TaskGroup):
                other.update_relative(self, not upstream)
