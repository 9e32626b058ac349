"""Decides which tasks of a DAG look at which others, and which of them say how a run ended; built once per DAG version.

Everything is computed in time proportional to the edges (and, for setups, to the tasks in their scope).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.sdk.serialization.spec import DagSpec, ExpandSpec, TaskSpec
from runs.alignment import Alignment, Alignments
from runs.dependencies import Watch
from runs.expansion import inputs_of


class Link(NamedTuple):
    """One task looks at another. ``aligned``: both are in one mapped group, an index looks at those that belong to it."""

    task_id: str
    watch: Watch
    aligned: Alignment | None


@dataclass(slots=True)
class PlannedTask:
    """A task with its links. ``watches`` leads to the tasks it looks at, ``watched_by`` to those that look at it."""

    spec: TaskSpec
    watches: list[Link] = field(default_factory=list)
    watched_by: list[Link] = field(default_factory=list)
    is_leaf: bool = False

    @property
    def expands(self) -> bool:
        """Whether the task has instances per map index once its length is known."""
        return self.spec.is_mapped or self.spec.mapped_group_id is not None

    @property
    def may_wait_elsewhere(self) -> bool:
        """Whether something outside the run (its past, a cap) can hold the task back, so that waiting is no deadlock."""
        spec = self.spec
        return spec.depends_on_past or spec.max_active_tis_per_dag is not None or spec.max_active_tis_per_dagrun is not None


class RunPlan:
    """The links of a DAG's tasks. ``dag.tasks`` must be in topological order, as the serializer writes them."""

    def __init__(self, dag: DagSpec) -> None:
        self.dag_id = dag.dag_id
        self.tasks = {task.task_id: PlannedTask(task) for task in dag.tasks}
        self._dag = dag
        self._alignments = Alignments(dag)
        for task in dag.tasks:
            self._link_direct(task)
            self._link(task, self._length_givers(task), Watch.MAPPED)
        if any(task.is_setup or task.is_teardown for task in dag.tasks):
            self._link_scopes(dag.tasks)
        self._mark_leaves(dag.tasks)

    def _link(self, task: TaskSpec, upstream: Iterable[str], watch: Watch) -> None:
        planned = self.tasks[task.task_id]
        for task_id in upstream:
            other = self.tasks.get(task_id)
            if other is None:
                raise ValueError(
                    f"DAG {self.dag_id!r}: task {task.task_id!r} names the upstream task {task_id!r}, which does not exist"
                )
            aligned = self._alignments.between(task, other.spec)
            planned.watches.append(Link(task_id, watch, aligned))
            other.watched_by.append(Link(task.task_id, watch, aligned))

    def _link_direct(self, task: TaskSpec) -> None:
        self._link(task, task.upstream_task_ids, Watch.DIRECT)
        setups = [t for t in task.upstream_task_ids if t in self.tasks and self.tasks[t].spec.is_setup]
        self._link(task, setups, Watch.DIRECT_SETUP)

    def _length_givers(self, task: TaskSpec) -> list[str]:
        """Return the tasks whose results the task, or the mapped group around it, is mapped over."""
        inputs = inputs_of(self._dag, task) if self.tasks[task.task_id].expands else []
        return sorted({task_id for expand in inputs for task_id in _referenced_tasks(expand)})

    def _link_scopes(self, tasks: list[TaskSpec]) -> None:
        setups_above = self._setups_above(tasks)
        teardowns_below = self._teardowns_below(tasks)
        closers = {
            task.task_id: frozenset(t for t in task.downstream_task_ids if self.tasks[t].spec.is_teardown)
            for task in tasks
            if task.is_setup
        }
        for task in tasks:
            if task.is_teardown:
                self._link(task, self._scope(task, setups_above), Watch.SCOPE)
                continue
            direct = set(task.upstream_task_ids)
            for setup in sorted(setups_above[task.task_id] - direct):
                if not closers[setup] or closers[setup] & teardowns_below[task.task_id]:
                    self._link(task, [setup], Watch.SETUP)

    def _setups_above(self, tasks: list[TaskSpec]) -> dict[str, frozenset[str]]:
        own = {task.task_id: frozenset([task.task_id]) if task.is_setup else frozenset[str]() for task in tasks}
        above: dict[str, frozenset[str]] = {}
        for task in tasks:
            above[task.task_id] = _union(part for up in task.upstream_task_ids for part in (above[up], own[up]))
        return above

    def _teardowns_below(self, tasks: list[TaskSpec]) -> dict[str, frozenset[str]]:
        own = {task.task_id: frozenset([task.task_id]) if task.is_teardown else frozenset[str]() for task in tasks}
        below: dict[str, frozenset[str]] = {}
        for task in reversed(tasks):
            below[task.task_id] = _union(part for down in task.downstream_task_ids for part in (below[down], own[down]))
        return below

    def _scope(self, teardown: TaskSpec, setups_above: dict[str, frozenset[str]]) -> list[str]:
        """Return the tasks between the teardown and its setups that are not direct upstream of it."""
        direct = set(teardown.upstream_task_ids)
        setups = {t for t in direct if self.tasks[t].spec.is_setup}
        found: set[str] = set()
        waiting = [teardown.task_id]
        while waiting:
            for up in self.tasks[waiting.pop()].spec.upstream_task_ids:
                if up not in found and setups & setups_above[up]:
                    found.add(up)
                    waiting.append(up)
        return sorted(found - direct)

    def _mark_leaves(self, tasks: list[TaskSpec]) -> None:
        """Mark the tasks whose states decide the run: teardowns count only with ``on_failure_fail_dagrun``."""
        leaves = [task for task in tasks if self._counts(task) and not any(map(self._counts_id, task.downstream_task_ids))]
        for task in leaves or [task for task in tasks if not task.downstream_task_ids]:
            self.tasks[task.task_id].is_leaf = True

    def _counts_id(self, task_id: str) -> bool:
        return self._counts(self.tasks[task_id].spec)

    @staticmethod
    def _counts(task: TaskSpec) -> bool:
        return not task.is_teardown or task.on_failure_fail_dagrun


def _union(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    """Unite sets, handing on the same object where there is only one different set, so that long chains share it."""
    result: frozenset[str] = frozenset()
    for part in parts:
        if not part <= result:
            result = part if result <= part else result | part
    return result


def _referenced_tasks(expand: ExpandSpec) -> Iterator[str]:
    for argument in expand.arguments.values():
        if isinstance(argument, dict) and "xcom" in argument:
            yield from _task_ids(argument["xcom"])


def _task_ids(reference: Any) -> Iterator[str]:
    """Find the task ids in a reference to results, however nested (zip, concat, map, filter)."""
    if isinstance(reference, dict):
        if isinstance(reference.get("task_id"), str):
            yield reference["task_id"]
        for value in reference.values():
            yield from _task_ids(value)
    elif isinstance(reference, list):
        for value in reference:
            yield from _task_ids(value)
