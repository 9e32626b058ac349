"""Decides what a trigger sees of the task that waits for it, as ``self.task_instance``."""

from __future__ import annotations

import uuid
from types import FunctionType, MethodType
from typing import Any


class WaitingTask:
    """The ids of the attempt, with the questions that a running task instance can ask (XComs, counts, states)."""

    def __init__(self, ti: dict[str, Any]) -> None:
        self.id = uuid.UUID(str(ti["id"]))
        self.dag_id, self.task_id, self.run_id = ti["dag_id"], ti["task_id"], ti["run_id"]
        self.map_index, self.try_number = ti["map_index"], ti["try_number"]
        self.state = "deferred"

    def __repr__(self) -> str:
        return f"WaitingTask({self.dag_id}.{self.task_id}, run_id={self.run_id!r}, map_index={self.map_index})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        # Imported when a trigger asks the first time: most never do, and it takes memory.
        from orchestrator.sdk.execution.runtime_task_instance import RuntimeTaskInstance

        found = RuntimeTaskInstance.__dict__.get(name)
        if isinstance(found, staticmethod):
            return found.__func__
        if isinstance(found, FunctionType):
            return MethodType(found, self)
        raise AttributeError(f"The task instance of a trigger has no attribute {name!r}.")
