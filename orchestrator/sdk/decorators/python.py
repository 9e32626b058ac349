"""Decides the operators behind ``@task``, ``@task.branch`` and ``@task.short_circuit``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from orchestrator.sdk.definitions.decorated import DecoratedOperator
from orchestrator.sdk.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator


class _PythonDecoratedOperator(DecoratedOperator, PythonOperator):
    """Behind ``@task``."""

    template_fields: Collection[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}
    custom_operator_name = "@task"
    infers_multiple_outputs = True

    def __init__(
        self, *, python_callable: Callable[..., Any], op_args: Collection[Any], op_kwargs: Mapping[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(
            kwargs_to_upstream={"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs},
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            **kwargs,
        )


class _BranchPythonDecoratedOperator(_PythonDecoratedOperator, BranchPythonOperator):
    """Behind ``@task.branch``."""

    custom_operator_name = "@task.branch"


class _ShortCircuitDecoratedOperator(_PythonDecoratedOperator, ShortCircuitOperator):
    """Behind ``@task.short_circuit``."""

    custom_operator_name = "@task.short_circuit"
