"""Decides the operator behind ``@task.sensor``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from orchestrator.sdk.definitions.decorated import unique_task_id
from orchestrator.sdk.definitions.function_calls import bind_arguments
from orchestrator.sdk.sensors.python import PythonSensor


class DecoratedSensorOperator(PythonSensor):
    """Behind ``@task.sensor``: waits until the function returns something true."""

    template_fields: Collection[str] = ("op_args", "op_kwargs")
    template_fields_renderers = {"op_args": "py", "op_kwargs": "py"}
    custom_operator_name = "@task.sensor"
    shallow_copy_attrs = ("python_callable",)
    infers_multiple_outputs = True

    def __init__(
        self,
        *,
        task_id: str,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] = (),
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        bind_arguments(python_callable, op_args, op_kwargs or {})
        super().__init__(
            task_id=unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group")),
            python_callable=python_callable,
            op_args=list(op_args),
            op_kwargs=op_kwargs,
            **kwargs,
        )
