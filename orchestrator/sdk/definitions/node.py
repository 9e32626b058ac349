"""Decides what every node of a graph has: an id that is a valid key, its place in a group, and its neighbours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.definitions.dependency import DependencyMixin, Others, flatten
from orchestrator.sdk.exceptions import AirflowException

if TYPE_CHECKING:
    from orchestrator.sdk.definitions.edges import EdgeModifier

KEY = re.compile(r"[\w.\-]+")
GROUP_KEY = re.compile(r"[\w\-]+")


def validate_key(key: Any, what: str = "key", max_length: int = 250) -> None:
    """Check an id: text, at most ``max_length`` characters, only letters, digits, ``_``, ``-`` and ``.``.

    Raises ``TypeError`` for something that is no text and ``ValueError`` for a wrong text.
    """
    if not isinstance(key, str):
        raise TypeError(f"{what} must be a str, not {type(key).__name__}: {key!r}")
    if len(key) > max_length:
        raise ValueError(f"{what} {key!r} has {len(key)} characters; at most {max_length} are allowed")
    if not KEY.fullmatch(key):
        raise ValueError(f"{what} {key!r} may have only letters, digits, dashes, dots and underscores")


def validate_group_key(key: Any, max_length: int = 200) -> None:
    """Check the id of a task group: as ``validate_key``, but without dots."""
    validate_key(key, "group_id", max_length)
    if not GROUP_KEY.fullmatch(key):
        raise ValueError(f"group_id {key!r} may have only letters, digits, dashes and underscores (no dots)")


class DAGNode(DependencyMixin):
    """A task, a mapped task or a task group."""

    dag: Any
    task_group: Any
    start_date: Any = None
    end_date: Any = None
    upstream_task_ids: set[str]
    downstream_task_ids: set[str]

    @property
    def node_id(self) -> str:
        """Return the id, unique in the DAG."""
        raise NotImplementedError

    @property
    def label(self) -> str | None:
        """Return the id without the prefix of the group."""
        group = self.task_group
        if group and group.node_id and group.prefix_group_id:
            return self.node_id[len(group.node_id) + 1 :]
        return self.node_id

    @property
    def dag_id(self) -> str:
        """Return the id of the DAG, or a marker for a node without one."""
        return self.dag.dag_id if self.has_dag() else "_in_memory_dag_"

    def has_dag(self) -> bool:
        """Return whether the node is in a DAG."""
        return getattr(self, "_dag", None) is not None

    @property
    def log(self) -> Any:
        """Return the logger of this node's class."""
        import logging

        name = getattr(self, "logger_name", None) or f"{type(self).__module__}.{type(self).__qualname__}"
        return logging.getLogger(f"airflow.task.operators.{name}")

    @property
    def upstream_list(self) -> list[Any]:
        """Return the tasks directly upstream."""
        return [self.dag.get_task(task_id) for task_id in self.upstream_task_ids]

    @property
    def downstream_list(self) -> list[Any]:
        """Return the tasks directly downstream."""
        return [self.dag.get_task(task_id) for task_id in self.downstream_task_ids]

    def get_direct_relative_ids(self, upstream: bool = False) -> set[str]:
        """Return the ids of the tasks directly upstream or downstream."""
        return self.upstream_task_ids if upstream else self.downstream_task_ids

    def get_direct_relatives(self, upstream: bool = False) -> list[Any]:
        """Return the tasks directly upstream or downstream."""
        return self.upstream_list if upstream else self.downstream_list

    def get_flat_relative_ids(self, *, upstream: bool = False, depth: int | None = None) -> set[str]:
        """Return the ids of all tasks that are upstream or downstream, at most ``depth`` steps away."""
        tasks, seen = self.dag.task_dict, set[str]()
        front = set(self.get_direct_relative_ids(upstream))
        while front and (depth is None or depth > 0):
            seen |= front
            front = {near for task_id in front for near in tasks[task_id].get_direct_relative_ids(upstream)} - seen
            depth = None if depth is None else depth - 1
        return seen

    def get_flat_relatives(self, upstream: bool = False, depth: int | None = None) -> list[Any]:
        """Return all tasks that are upstream or downstream."""
        return [self.dag.get_task(task_id) for task_id in self.get_flat_relative_ids(upstream=upstream, depth=depth)]

    def get_upstreams_follow_setups(self) -> list[Any]:
        """Return all upstream tasks, and for each setup among them its teardowns."""
        found = {task.task_id: task for task in self.get_flat_relatives(upstream=True)}
        for task in list(found.values()):
            if task.is_setup:
                found.update({near.task_id: near for near in task.downstream_list if near.is_teardown and near is not self})
        return list(found.values())

    def get_upstreams_only_setups(self) -> list[Any]:
        """Return the setups upstream that this task needs."""
        return [task for task in self.get_flat_relatives(upstream=True) if task.is_setup and _needs(self, task)]

    def get_upstreams_only_setups_and_teardowns(self) -> list[Any]:
        """Return the setups upstream that this task needs, and their teardowns."""
        found = {}
        for setup in self.get_upstreams_only_setups():
            found[setup.task_id] = setup
            found.update({t.task_id: t for t in setup.downstream_list if t.is_teardown and t is not self})
        return list(found.values())

    def set_upstream(self, other: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Make ``other`` (one or a sequence) run before this."""
        self._set_relatives(other, upstream=True, edge_modifier=edge_modifier)

    def set_downstream(self, other: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Make ``other`` (one or a sequence) run after this."""
        self._set_relatives(other, upstream=False, edge_modifier=edge_modifier)

    def _set_relatives(self, others: Others, upstream: bool, edge_modifier: EdgeModifier | None = None) -> None:
        near: list[Any] = []
        for other in flatten(others):
            if not isinstance(other, DependencyMixin):
                raise AirflowException(f"Task {self.node_id!r} cannot depend on a {type(other).__name__}: {other!r:.100}")
            other.update_relative(self, not upstream, edge_modifier=edge_modifier)
            near.extend(other.leaves if upstream else other.roots)
        self._share_dag(near)
        for task in near:
            first, second = (task, self) if upstream else (self, task)
            first.downstream_task_ids.add(second.node_id)
            second.upstream_task_ids.add(first.node_id)
            if edge_modifier:
                edge_modifier.add_edge_info(self.dag, first.node_id, second.node_id)

    def _share_dag(self, near: list[Any]) -> None:
        """Give nodes that are in no DAG yet the DAG of the others; raises if there are two."""
        dags = {id(node.dag): node.dag for node in [self, *near] if node.has_dag()}
        if len(dags) > 1:
            names = ", ".join(sorted(dag.dag_id for dag in dags.values()))
            raise AirflowException(
                f"Task {self.node_id!r} gets a dependency across the DAGs {names}; both ends must be in one DAG"
            )
        if not dags:
            if near:
                raise AirflowException(f"Task {self.node_id!r} gets a dependency before it or the other task is in a DAG")
            return
        (dag,) = dags.values()
        for node in [self, *near]:
            if not node.has_dag():
                node.dag = dag


def _needs(node: Any, setup: Any) -> bool:
    """Return whether a setup still holds at ``node``: no teardown, or one that is not upstream of it."""
    teardowns = {task_id for task_id in setup.downstream_task_ids if setup.dag.get_task(task_id).is_teardown}
    return not teardowns or not teardowns <= node.get_flat_relative_ids(upstream=True)
