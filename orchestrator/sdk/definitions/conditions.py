"""Decides how ``run_if`` and ``skip_if`` turn a condition on the context into a skipped task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.sdk.exceptions import AirflowSkipException

Condition = Callable[..., Any]


def run_if(condition: Condition, skip_message: str | None = None) -> Callable[[Any], Any]:
    """Skip the ``@task`` below unless ``condition(context)`` is true."""
    return _guard(condition, skip_message, skip_when=False)


def skip_if(condition: Condition, skip_message: str | None = None) -> Callable[[Any], Any]:
    """Skip the ``@task`` below if ``condition(context)`` is true."""
    return _guard(condition, skip_message, skip_when=True)


def _guard(condition: Condition, message: str | None, *, skip_when: bool) -> Callable[[Any], Any]:
    def decorate(task: Any) -> Any:
        if not hasattr(task, "operator_class") or not hasattr(task, "kwargs"):
            name = "skip_if" if skip_when else "run_if"
            raise TypeError(f"{name} can only be used with task. decorate with @task before @task.{name}")
        task.kwargs["pre_execute"] = _both(_hook(condition, message, skip_when), task.kwargs.get("pre_execute"))
        return task

    return decorate


def _hook(condition: Condition, message: str | None, skip_when: bool) -> Callable[[Any], None]:
    def check(context: Any) -> None:
        result = condition(context)
        text = message
        if isinstance(result, tuple):
            result, said = result
            text = said or message
        if bool(result) is skip_when:
            raise AirflowSkipException(text or f"skipped due to {getattr(condition, '__name__', condition)}")

    return check


def _both(first: Callable[[Any], None], second: Callable[[Any], None] | None) -> Callable[[Any], None]:
    def hook(context: Any) -> None:
        first(context)
        if second is not None:
            second(context)

    return hook
