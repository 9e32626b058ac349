"""Decides how new task instances are counted: by operator, once for many, and only where somebody takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from orchestrator.kernel.telemetry import count, is_on


def count_created(dag_id: str, run_type: str, operators: Iterable[str]) -> None:
    """Count task instances that a run got, one operator each."""
    if is_on():
        for task_type, number in Counter(operators).items():
            count("task_instance_created", number, dag_id=dag_id, run_type=run_type, task_type=task_type)
