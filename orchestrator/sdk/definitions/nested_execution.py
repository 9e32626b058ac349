"""Decides what happens where other code than a task runner executes an operator: a warning, or an error if it forbids that."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

#: The operator whose ``execute`` runs; its ``super().execute()`` and calls from its own methods are no nested ones.
executing: ContextVar[Any] = ContextVar("executing_operator", default=None)


def guarded(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Return the ``execute`` of an operator class that checks who calls it.

    It raises ``RuntimeError`` for an operator with ``allow_nested_operators=False``. ``[core] unit_test_mode`` switches the
    check off, as in Airflow, so that tests may call ``execute`` themselves.
    """

    @functools.wraps(execute)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if executing.get() is self:
            return execute(self, *args, **kwargs)
        _tell(self)
        token = executing.set(self)
        try:
            return execute(self, *args, **kwargs)
        finally:
            executing.reset(token)

    return wrapper


def _tell(operator: Any) -> None:
    from orchestrator.sdk.configuration import conf

    if conf.getboolean("core", "unit_test_mode", fallback=False):
        return
    text = (
        f"{type(operator).__name__}.execute() of {operator.task_id!r} was called by other code than the task runner: "
        "its hooks, timeout, retries and templates count for nothing. Make it a task of the DAG, or call a hook"
    )
    if not operator.allow_nested_operators:
        raise RuntimeError(text)
    operator.log.warning(text)
