"""Decides the operator behind ``@task.stub``: a task that a worker in another language runs."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.decorated import DecoratedOperator
from orchestrator.sdk.exceptions import AirflowException


class _StubOperator(DecoratedOperator):
    """Behind ``@task.stub``; the function must have no body."""

    custom_operator_name = "@task.stub"
    is_stub = True
    infers_multiple_outputs = True

    def execute(self, context: Any) -> Any:
        """Refuse: nothing in Python can run this."""
        raise AirflowException(f"Task {self.task_id!r} is a stub; give it a queue whose workers can run it")
