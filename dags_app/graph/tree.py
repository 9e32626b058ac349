"""Decides which tasks and groups of a DAG are in which group, in which order they are drawn, and who is beside a group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from orchestrator.sdk.definitions.group_members import first_ids, last_ids
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec

Path = tuple[str, ...]


class GroupTree:
    """The tasks and groups of a DAG, or of a part of it: then groups without a task of the part are left out."""

    def __init__(self, dag: DagSpec, part: Collection[str] | None = None) -> None:
        self.tasks: dict[str, TaskSpec] = {t.task_id: t for t in dag.tasks if part is None or t.task_id in part}
        self._all = {group.group_id: group for group in dag.task_groups}
        self._paths = {task_id: self._path(task.task_group_id) for task_id, task in self.tasks.items()}
        self._inside: dict[str, dict[str, TaskSpec]] = {group_id: {} for group_id in self._all if group_id is not None}
        for task_id, path in self._paths.items():
            for group_id in path:
                self._inside[group_id][task_id] = self.tasks[task_id]
        self.groups: dict[str, TaskGroupSpec] = {
            group_id: self._all[group_id] for group_id, inside in self._inside.items() if inside or part is None
        }
        self._members = self._ordered_members()

    def members(self, group_id: str | None) -> list[str]:
        """Return the ids of the tasks and groups directly in a group, None for the DAG, upstream first."""
        return self._members.get(group_id, [])

    def first(self, group_id: str) -> list[str]:
        """Return the tasks of a group and of those inside it that come before all others of it."""
        return first_ids(self._inside[group_id])

    def last(self, group_id: str) -> list[str]:
        """Return the tasks of a group that come after all others of it; work stands for the teardowns after it."""
        return last_ids(self._inside[group_id])

    def tasks_before(self, group_id: str) -> list[str]:
        """Return the tasks that the author put before the whole group."""
        return [task_id for task_id in self.groups[group_id].upstream_task_ids if task_id in self.tasks]

    def tasks_after(self, group_id: str) -> list[str]:
        """Return the tasks that the author put after the whole group."""
        return [task_id for task_id in self.groups[group_id].downstream_task_ids if task_id in self.tasks]

    def groups_after(self, group_id: str) -> list[str]:
        """Return the groups that the author put after the whole group."""
        return [other for other in self.groups[group_id].downstream_group_ids if other in self.groups]

    def has_before(self, group_id: str) -> bool:
        """Return whether anything was put before the whole group."""
        groups = self.groups[group_id].upstream_group_ids
        return bool(self.tasks_before(group_id)) or any(other in self.groups for other in groups)

    def has_after(self, group_id: str) -> bool:
        """Return whether anything was put after the whole group."""
        return bool(self.tasks_after(group_id) or self.groups_after(group_id))

    def _path(self, group_id: str | None) -> Path:
        """Return a group and those around it, outermost first."""
        path: list[str] = []
        while group_id is not None and group_id in self._all and group_id not in path:
            path.append(group_id)
            group_id = self._all[group_id].parent_id
        return tuple(reversed(path))

    def _ordered_members(self) -> dict[str | None, list[str]]:
        found: dict[str | None, list[str]] = {}
        for task_id, path in self._paths.items():
            found.setdefault(path[-1] if path else None, []).append(task_id)
        for group_id in self.groups:
            found.setdefault(self._all[group_id].parent_id, []).append(group_id)
        upstream = self._upstream_members()
        return {group_id: in_drawing_order(members, upstream) for group_id, members in found.items()}

    def _upstream_members(self) -> dict[str, set[str]]:
        """Return what is directly before each task and group within the group they share."""
        found: dict[str, set[str]] = {}
        for before, after in self._put_before():
            above, below = _where_they_part(self._way(before), self._way(after))
            found.setdefault(below, set()).add(above)
        return found

    def _put_before(self) -> Iterator[tuple[str, str]]:
        for task_id, task in self.tasks.items():
            yield from ((up, task_id) for up in task.upstream_task_ids if up in self.tasks)
        for group_id in self.groups:
            yield from ((up, group_id) for up in self.tasks_before(group_id))
            yield from ((group_id, down) for down in self.groups_after(group_id))

    def _way(self, name: str) -> Path:
        """Return the groups down to a task or group, and itself."""
        return (*self._paths[name], name) if name in self.tasks else self._path(name)


def in_definition_order(dag: DagSpec) -> list[TaskSpec]:
    """Return the tasks as the author wrote them down, those of a group together."""
    children = {group.group_id: group.children for group in dag.task_groups}
    position: dict[str, int] = {}
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        name = waiting.pop()
        if name in children:
            waiting.extend(reversed(children[name]))
        else:
            position[name] = len(position)
    return sorted(dag.tasks, key=lambda task: position.get(task.task_id, len(position)))


def in_drawing_order(names: Iterable[str], upstream: Mapping[str, Collection[str]]) -> list[str]:
    """Return the names so that each comes after its upstream names, as passes over them by name would take them.

    A name is taken in the first pass in which all its upstream names are known: from an earlier pass, or from this one and
    before it by name. Where names wait for each other, as two groups may, the first of them by name does not wait.
    """
    in_pass = dict.fromkeys(names, 0)
    waiting = {name: {up for up in upstream.get(name, ()) if up in in_pass} for name in in_pass}
    downstream: dict[str, list[str]] = {name: [] for name in in_pass}
    for name, ups in waiting.items():
        for up in ups:
            downstream[up].append(name)
    ready = [name for name, ups in waiting.items() if not ups]
    while waiting:
        name = ready.pop() if ready else _first_of_circle(waiting)
        del waiting[name]
        for down in downstream[name]:
            if down in waiting:
                in_pass[down] = max(in_pass[down], in_pass[name] + (name > down))
                waiting[down].discard(name)
                if not waiting[down]:
                    ready.append(down)
    return sorted(in_pass, key=lambda name: (in_pass[name], name))


def _first_of_circle(waiting: Mapping[str, Collection[str]]) -> str:
    """Return the first name of a circle of names that wait for each other; each of ``waiting`` waits for another."""
    way, name = dict[str, None](), min(waiting)
    while name not in way:
        way[name] = None
        name = min(waiting[name])
    return min(list(way)[list(way).index(name) :])


def _where_they_part(one: Path, other: Path) -> tuple[str, str]:
    """Return the first steps of two ways that differ; the last ones where one way is a part of the other."""
    return next(((a, b) for a, b in zip(one, other, strict=False) if a != b), (one[-1], other[-1]))
