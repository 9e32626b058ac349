"""Decides which tasks a branch, a short circuit or a latest-only task skips, and tells the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.sdk.exceptions import AirflowException, DownstreamTasksSkipped

XCOM_SKIPMIXIN_KEY = "skipmixin_key"
XCOM_SKIPMIXIN_SKIPPED = "skipped"
XCOM_SKIPMIXIN_FOLLOWED = "followed"


class SkipMixin:
    """Mixin of operators that skip others."""

    log: Any
    do_xcom_push: bool

    def skip(self, ti: Any, tasks: Iterable[Any]) -> None:
        """End the running task as success and skip ``tasks``; raises ``DownstreamTasksSkipped`` for the runner."""
        ids = [task.task_id for task in _tasks(tasks) if not task.is_teardown]
        if not ids:
            return
        ti.xcom_push(key=XCOM_SKIPMIXIN_KEY, value={XCOM_SKIPMIXIN_SKIPPED: ids})
        _tell(ti, ids)

    def skip_all_except(self, ti: Any, branch_task_ids: str | Iterable[str] | None) -> None:
        """End the running task as success and skip its direct downstream tasks that no chosen branch leads to.

        What is followed is kept as XCom, for a clear of the tasks below: the chosen ones, and those that they lead to.
        """
        task = ti.task
        chosen = _chosen(branch_task_ids, task)
        below = _tasks(task.downstream_list)
        if not below:
            return
        kept = set(chosen)
        for task_id in chosen:
            kept |= task.dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        skipped = [t.task_id for t in below if t.task_id not in kept]
        followed = sorted(t.task_id for t in below if t.task_id in kept)
        self.log.info("Follow branch %s; skip %s", sorted(chosen), sorted(skipped))
        ti.xcom_push(key=XCOM_SKIPMIXIN_KEY, value={XCOM_SKIPMIXIN_FOLLOWED: followed})
        _tell(ti, sorted(skipped))


class BranchMixIn(SkipMixin):
    """Mixin of operators that choose a branch."""

    def do_branch(self, context: Any, branches_to_execute: str | Iterable[str] | None) -> Any:
        """Follow the chosen tasks or groups and skip the others; returns the choice."""
        ti = context["ti"]
        ids: Any = branches_to_execute
        if isinstance(ids, str):
            ids = [ids]
        if ids is not None:
            if not isinstance(ids, Iterable):
                raise AirflowException(f"A branch must choose a task id, a collection of task ids or None, not {ids!r}")
            ids = list(self._expand_task_group_roots(ti, ids))
        # Where something is skipped, the error ends the task here and the choice is no return value, as in Airflow.
        self.skip_all_except(ti, ids)
        return branches_to_execute

    def _expand_task_group_roots(self, ti: Any, branches: Iterable[str]) -> Iterator[str]:
        groups = ti.task.dag.task_group.get_task_group_dict()
        for branch in branches:
            if branch in groups and branch is not None:
                yield from (task.task_id for task in groups[branch].get_roots())
            else:
                yield branch


def _chosen(branch: Any, task: Any) -> set[str]:
    if branch is None:
        return set()
    ids = {branch} if isinstance(branch, str) else set(branch)
    wrong = {item for item in ids if not isinstance(item, str)}
    if wrong:
        raise AirflowException(f"Branch task {task.task_id!r} chose {sorted(map(repr, wrong))}; a choice must be task ids")
    unknown = sorted(ids - set(task.dag.task_ids))
    if unknown:
        raise AirflowException(f"Branch task {task.task_id!r} chose {unknown}, which are no tasks of DAG {task.dag.dag_id!r}")
    return ids


def _tasks(nodes: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for node in nodes:
        found.extend(node.iter_tasks() if hasattr(node, "iter_tasks") else [node])
    return found


def _tell(ti: Any, ids: list[str]) -> None:
    """Raise for the runner, except in an index of a mapped task or group.

    What an index chose counts for the same index of a mapped task below, and the scheduler reads it there; it skips
    neither a task that is not mapped nor others in the index's mapped group, as in Airflow 3.3.
    """
    index = getattr(ti, "map_index", -1)
    if ids and (index is None or index < 0):
        raise DownstreamTasksSkipped(tasks=ids)
