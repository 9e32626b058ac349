"""Decides which rows a grid has: the tasks and groups of the newest version in their order, and tasks that it no longer has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from dags_app.graph.tree import GroupTree
from orchestrator.sdk.serialization.spec import DagSpec

# A DAG with more rows than this starts with its groups closed.
ROWS_OPEN = 60


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row. ``tasks``: what a group sums up, itself for a task; ``kind``: task, group, removed; index or more below a task."""

    kind: str
    name: str
    label: str
    depth: int = 0
    tasks: tuple[str, ...] = ()
    is_open: bool = False
    is_mapped: bool = False
    parents: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Opened:
    """Which groups are open: as people chose, else all of a small DAG and none of a large one. Mapped tasks only when chosen."""

    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()

    def is_open(self, group_id: str, by_default: bool) -> bool:
        """Return whether a group shows its members."""
        if group_id in self.opened or "*" in self.opened:
            return group_id not in self.closed
        return by_default and group_id not in self.closed and "*" not in self.closed


def rows_of(spec: DagSpec | None, known: Collection[str], opened: Opened, sort: str) -> list[GridRow]:
    """Return all rows, those inside closed groups too.

    Args:
        spec: the newest version, None where it cannot be read.
        known: ids of the tasks that the shown runs have.
        opened: which groups show their members.
        sort: ``name``, or anything else for upstream first.
    """
    rows = list(_below(GroupTree(spec), None, (), opened, sort)) if spec is not None else []
    there = {row.name for row in rows if row.kind == "task"}
    return [*rows, *(GridRow("removed", name, name, tasks=(name,)) for name in sorted(set(known) - there))]


def _below(tree: GroupTree, group_id: str | None, path: tuple[str, ...], opened: Opened, sort: str) -> Iterator[GridRow]:
    by_default = len(tree.tasks) + len(tree.groups) <= ROWS_OPEN
    members = tree.members(group_id)
    if sort == "name":
        members = sorted(members, key=str.lower)
    for name in members:
        if name in tree.tasks:
            task = tree.tasks[name]
            is_mapped = task.is_mapped or task.mapped_group_id is not None
            label = task.task_display_name if task.task_display_name not in ("", name) else task.label or name
            yield GridRow("task", name, label, len(path), (name,), is_mapped=is_mapped, parents=path)
            continue
        group = tree.groups[name]
        inside = list(_below(tree, name, (*path, name), opened, sort))
        tasks = tuple(row.name for row in inside if row.kind == "task")
        is_open = opened.is_open(name, by_default)
        label = group.display_name or group.label or name
        yield GridRow("group", name, label, len(path), tasks, is_open, group.is_mapped, path)
        yield from inside


def visible(rows: Iterable[GridRow], wanted: Collection[str] | None) -> list[GridRow]:
    """Return the rows to show: without those inside closed groups; with a filter, what fits and the groups around it.

    Args:
        rows: all rows.
        wanted: names of tasks and groups that fit the filter; None without a filter.
    """
    rows = list(rows)
    if wanted is None:
        is_open = {row.name: row.is_open for row in rows if row.kind == "group"}
        return [row for row in rows if all(is_open.get(name, True) for name in row.parents)]
    around = {name for row in rows if row.name in wanted for name in row.parents}
    return [row for row in rows if row.name in wanted or row.name in around]
