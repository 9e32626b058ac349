"""Decides how task instances find the tasks that their versions of the DAG define."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from dags_app.models import DagVersion
from dags_app.selectors import SpecUnreadableError, spec_of, task_of_loaded, task_of_version
from orchestrator.sdk.serialization.spec import TaskSpec
from runs.models import TaskInstance

__all__ = ["SpecUnreadableError", "spec_of", "tasks_of"]


def tasks_of(rows: Iterable[TaskInstance]) -> dict[tuple[UUID | None, str], TaskSpec]:
    """Return the tasks of many rows by version and task id, reading each version once; what is gone is left out."""
    wanted: dict[UUID, set[str]] = {}
    loaded: dict[UUID, DagVersion] = {}
    for row in rows:
        if row.dag_version_id is not None:
            wanted.setdefault(row.dag_version_id, set()).add(row.task_id)
            if TaskInstance.dag_version.is_cached(row) and row.dag_version is not None:
                loaded[row.dag_version_id] = row.dag_version
    found: dict[tuple[UUID | None, str], TaskSpec] = {}
    for version_id, task_ids in wanted.items():
        try:
            tasks = _tasks(version_id, loaded.get(version_id), task_ids)
        except SpecUnreadableError:
            continue
        found |= {(version_id, task.task_id): task for task in tasks if task is not None}
    return found


def _tasks(version_id: UUID, version: DagVersion | None, task_ids: Collection[str]) -> Sequence[TaskSpec | None]:
    if len(task_ids) > 1:
        return spec_of(version_id).tasks
    return [task_of_version(version_id, *task_ids) if version is None else task_of_loaded(version, *task_ids)]
