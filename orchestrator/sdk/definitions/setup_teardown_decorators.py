"""Decides what ``@setup`` and ``@teardown`` do to functions, tasks and groups."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.exceptions import AirflowException


def setup_task(func: Any) -> Any:
    """Return a ``@task`` that is a setup; raises ``AirflowException`` for a group."""
    task = _as_task(func, "Setup")
    task.is_setup = True
    return task


def teardown_task(_func: Any = None, *, on_failure_fail_dagrun: bool = False) -> Any:
    """Return a ``@task`` that is a teardown, or the decorator that makes one."""

    def decorate(func: Any) -> Any:
        task = _as_task(func, "Teardown")
        task.is_teardown = True
        task.on_failure_fail_dagrun = on_failure_fail_dagrun
        return task

    return decorate if _func is None else decorate(_func)


def _as_task(func: Any, what: str) -> Any:
    from orchestrator.sdk.decorators import task
    from orchestrator.sdk.definitions.task_group_decorator import TaskGroupFactory

    if isinstance(func, TaskGroupFactory):
        raise AirflowException(f"Task groups cannot be marked as setup or teardown. {what} takes a function or a @task.")
    return func if hasattr(func, "is_setup") else task(func)
