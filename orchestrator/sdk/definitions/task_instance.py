"""Decides the types that annotations in DAG files name: task instance, its key, and run."""

from __future__ import annotations

from typing import Any, NamedTuple


class TaskInstanceKey(NamedTuple):
    """What tells one attempt from all others."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int = 1
    map_index: int = -1

    @property
    def primary(self) -> tuple[str, str, str, int]:
        """Return the key without the number of the try."""
        return self.dag_id, self.task_id, self.run_id, self.map_index

    @property
    def key(self) -> TaskInstanceKey:
        """Return the key itself."""
        return self

    def with_try_number(self, try_number: int) -> TaskInstanceKey:
        """Return the key of another try."""
        return self._replace(try_number=try_number)


class TaskInstance:
    """The running task, as annotations name it; the context has the real one."""

    dag_id: str
    task_id: str
    run_id: str
    map_index: int
    try_number: int
    task: Any

    def xcom_pull(self, *args: Any, **kwargs: Any) -> Any:
        """Return what other tasks pushed."""
        raise RuntimeError("Use the task instance in the context of a running task")

    def xcom_push(self, key: str, value: Any) -> None:
        """Store a value for other tasks."""
        raise RuntimeError("Use the task instance in the context of a running task")


class DagRun:
    """The run, as annotations name it; the context has the real one."""

    dag_id: str
    run_id: str
    conf: dict[str, Any]
