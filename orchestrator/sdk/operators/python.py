"""Decides how a Python function runs as a task, and how its result chooses branches or skips the rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from orchestrator.sdk.definitions.async_operator import BaseAsyncOperator
from orchestrator.sdk.definitions.context import get_current_context
from orchestrator.sdk.definitions.keyword_parameters import KeywordParameters
from orchestrator.sdk.definitions.skipmixin import SkipMixin
from orchestrator.sdk.execution import yielded
from orchestrator.sdk.operators.branch import BaseBranchOperator

__all__ = ["BranchPythonOperator", "PythonOperator", "ShortCircuitOperator", "get_current_context"]


class PythonOperator(BaseAsyncOperator):
    """Calls ``python_callable`` with ``op_args``, ``op_kwargs`` and the names of the context that it accepts."""

    template_fields: Collection[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}
    BLUE = "#ffefeb"
    ui_color = BLUE
    shallow_copy_attrs: Sequence[str] = ("python_callable", "op_kwargs")
    op_args: Any
    op_kwargs: Any
    _outlet_events: Any = None

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: Sequence[str] | None = None,
        show_return_value_in_logs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise AttributeError(f"python_callable of task {self.task_id!r} must be a function, not {python_callable!r}")
        self.python_callable = python_callable
        self.op_args, self.op_kwargs = op_args or (), op_kwargs or {}
        self.templates_dict = templates_dict
        if templates_exts:
            self.template_ext = templates_exts
        self.show_return_value_in_logs = show_return_value_in_logs

    @property
    def is_async(self) -> bool:
        """Return whether the function is a coroutine function."""
        return inspect.iscoroutinefunction(self.python_callable)

    def determine_kwargs(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keyword arguments of the call."""
        return KeywordParameters.determine(self.python_callable, self.op_args, context).unpacking()

    def _prepare(self, context: Any) -> None:
        for name, value in {**self.op_kwargs, "templates_dict": self.templates_dict}.items():
            context[name] = value
        self.op_kwargs = self.determine_kwargs(context)
        self._outlet_events = context.get("outlet_events")

    def execute(self, context: Any) -> Any:
        """Call the function; returns what it returns."""
        if self.is_async:
            return super().execute(context)
        self._prepare(context)
        return self._shown(self.execute_callable())

    async def aexecute(self, context: Any) -> Any:
        """Await the coroutine function; returns what it returns."""
        self._prepare(context)
        return self._shown(await self.aexecute_callable())

    def _shown(self, value: Any) -> Any:
        if self.show_return_value_in_logs:
            self.log.info("Done. Returned value was: %s", value)
        else:
            self.log.info("Done. Returned value not shown")
        return value

    def execute_callable(self) -> Any:
        """Call the function with its final arguments."""
        return yielded.call(self.python_callable, self._outlet_events, *self.op_args, **self.op_kwargs)

    async def aexecute_callable(self) -> Any:
        """Await the function with its final arguments."""
        return await self.python_callable(*self.op_args, **self.op_kwargs)


class BranchPythonOperator(BaseBranchOperator, PythonOperator):
    """Follows the task ids that the function returns."""

    def choose_branch(self, context: Any) -> Any:
        """Call the function."""
        return PythonOperator.execute(self, context)


class ShortCircuitOperator(PythonOperator, SkipMixin):
    """Skips what comes after it if the function returns something false."""

    def __init__(self, *, ignore_downstream_trigger_rules: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context: Any) -> Any:
        """Call the function; skips all downstream tasks, or only the direct ones if trigger rules are to be obeyed."""
        condition = super().execute(context)
        if condition:
            self.log.info("Condition is true; go on")
            return condition
        if not self.downstream_task_ids:
            self.log.info("Condition is false, but nothing is downstream")
            return condition
        self.log.info("Condition is false; skip downstream tasks")
        if self.ignore_downstream_trigger_rules:
            tasks = [task for task in context["task"].get_flat_relatives(upstream=False) if not task.is_teardown]
        else:
            tasks = context["task"].get_direct_relatives(upstream=False)
        self.skip(ti=context["ti"], tasks=tasks)
        return condition
