"""Decides the operator behind ``@task.bash``: the function returns the command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from orchestrator.sdk.definitions.decorated import DecoratedOperator
from orchestrator.sdk.definitions.keyword_parameters import determine_kwargs
from orchestrator.sdk.definitions.sentinels import SET_DURING_EXECUTION
from orchestrator.sdk.operators.bash import BashOperator


class _BashDecoratedOperator(DecoratedOperator, BashOperator):
    """Behind ``@task.bash``."""

    template_fields: Collection[str] = (*DecoratedOperator.template_fields, *BashOperator.template_fields)
    template_fields_renderers = {**DecoratedOperator.template_fields_renderers, **BashOperator.template_fields_renderers}
    custom_operator_name = "@task.bash"
    overwrite_rtif_after_execution = True
    infers_multiple_outputs = False

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            bash_command=SET_DURING_EXECUTION,
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        """Call the function, render what it returns, run it; raises ``TypeError`` if it is no command."""
        context.update(self.op_kwargs)
        kwargs = determine_kwargs(self.python_callable, self.op_args, context)
        command = self.bash_command = self.python_callable(*self.op_args, **kwargs)  # shown also where it is refused
        if not isinstance(command, str) or not command.strip():
            raise TypeError("The returned value from the TaskFlow callable must be a non-empty string.")
        self._unrendered = command
        self.bash_command = self.render_template(command, context)
        return super().execute(context)
