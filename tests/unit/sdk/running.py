"""A task instance without a server, for tests of operators."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class FakeTaskInstance:
    """Keeps what is pushed; gives what the test has put into ``pushed`` by task id."""

    def __init__(self, task: Any, map_index: int = -1) -> None:
        self.task, self.map_index, self.try_number = task, map_index, 1
        self.dag_id, self.task_id, self.run_id = task.dag.dag_id, task.task_id, "run"
        self.pushed: dict[tuple[str, str], Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[self.task_id, key] = value

    def xcom_pull(self, task_ids: str, key: str = "return_value", default: Any = None, **_: Any) -> Any:
        return self.pushed.get((task_ids, key), default)


def context_of(task: Any, map_index: int = -1, **more: Any) -> dict[str, Any]:
    """Return a context as a running task of ``task`` has it, as far as operators use it."""
    ti = FakeTaskInstance(task, map_index)
    run = SimpleNamespace(run_id="run", conf={}, run_type="scheduled", logical_date=None)
    return {
        "ti": ti,
        "task_instance": ti,
        "task": task,
        "dag": task.dag,
        "dag_run": run,
        "params": {},
        "ds": "2024-01-01",
        **more,
    }
