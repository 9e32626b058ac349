"""Decides how many instances a mapped task has in a run in memory, from the lengths of what is stored there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.sdk.serialization.spec import ExpandSpec, TaskSpec
from orchestrator.sdk.testing.store import Store
from runs.expansion import expand_length


class Lengths:
    """The lengths of results in one run. ``of`` gives the number of indexes, None where a result has no length."""

    def __init__(self, store: Store, dag_id: str, run_id: str, tasks: dict[str, TaskSpec]) -> None:
        self._pushed: Callable[[str, str], Any] = lambda task_id, key: store.pushed(dag_id, run_id, task_id, key)
        self._tasks = tasks

    def of(self, expand: ExpandSpec) -> int | None:
        """Return the number of indexes."""
        return expand_length(expand, self._of_result)

    def _of_result(self, task_id: str, key: str) -> int | None:
        pushed = self._pushed(task_id, key)
        upstream = self._tasks.get(task_id)
        if upstream is not None and (upstream.is_mapped or upstream.mapped_group_id):
            return len(pushed)
        return next((item.mapped_length for item in pushed.values()), None)
