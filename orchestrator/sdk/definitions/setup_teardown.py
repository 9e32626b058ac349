"""Decides the edges that ``with setup >> teardown:`` adds around the tasks created in the block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.sdk.exceptions import AirflowException


@dataclass
class Scope:
    """One open block: its setups and teardowns, and the work tasks created in it."""

    setups: list[Any] = field(default_factory=list)
    teardowns: list[Any] = field(default_factory=list)
    work: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Put the setups before the first work tasks and the teardowns after the last ones."""
        if not self.work:
            return
        first = [task for task in self.work if not task.upstream_task_ids] or self.work[:1]
        last = [task for task in self.work if not task.downstream_task_ids] or self.work[-1:]
        for setup in self.setups:
            setup.set_downstream(first)
        for teardown in self.teardowns:
            teardown.set_upstream(last)


class SetupTeardownContext:
    """The stack of open blocks."""

    _open: list[Scope] = []
    _takes_tasks = False

    @classmethod
    def active(cls) -> bool:
        """Return whether a block is open that takes tasks: after a block inside of it has closed it does not, as in Airflow."""
        return bool(cls._open) and cls._takes_tasks

    @classmethod
    def push(cls, task: Any) -> Scope:
        """Open a block for a setup, a teardown, or a list of either; raises ``AirflowException`` for other tasks."""
        tasks: list[Any] = [getattr(item, "operator", item) for item in (task if isinstance(task, list) else [task])]
        scope = Scope()
        for item in tasks:
            if item.is_setup:
                _extend(scope.setups, [item])
                _extend(scope.teardowns, [near for near in item.downstream_list if near.is_teardown])
            elif item.is_teardown:
                _extend(scope.teardowns, [item])
                _extend(scope.setups, [near for near in item.upstream_list if near.is_setup])
            else:
                raise AirflowException(f"Task {item.task_id!r} is no setup or teardown, so it cannot open a `with` block")
        cls._nest(scope)
        cls._open.append(scope)
        cls._takes_tasks = True
        return scope

    @classmethod
    def _nest(cls, scope: Scope) -> None:
        if cls._open:
            for setup in scope.setups:
                setup.set_upstream([outer for outer in cls._open[-1].setups if outer is not setup])
            for teardown in scope.teardowns:
                teardown.set_downstream([outer for outer in cls._open[-1].teardowns if outer is not teardown])

    @classmethod
    def pop(cls) -> None:
        """Close the innermost block and draw its edges."""
        cls._open.pop().close()
        cls._takes_tasks = False

    @classmethod
    def note(cls, task: Any) -> None:
        """Hear of a task that is created while a block may be open."""
        if cls.active() and not (task.is_setup or task.is_teardown):
            _extend(cls._open[-1].work, [task])

    @classmethod
    def forget(cls, task: Any) -> None:
        """Take out a task that turns out to be a setup or teardown."""
        for scope in cls._open:
            scope.work = [item for item in scope.work if item is not task]

    @classmethod
    def add_task(cls, task: Any) -> None:
        """Put a task that was created before the block into it."""
        if not cls.active():
            raise AirflowException("add_task() works only inside `with setup >> teardown:`")
        cls.note(getattr(task, "operator", task))


class ContextWrapper(list[Any]):
    """A list of setups or teardowns that can open a block: ``with context_wrapper([a, b]):``."""

    def __init__(self, tasks: list[Any]) -> None:
        super().__init__(tasks)
        self.tasks = tasks

    def __enter__(self) -> type[SetupTeardownContext]:
        SetupTeardownContext.push(self.tasks)
        return SetupTeardownContext

    def __exit__(self, *_: Any) -> None:
        SetupTeardownContext.pop()


context_wrapper = ContextWrapper


def _extend(known: list[Any], more: list[Any]) -> None:
    known.extend(item for item in more if not any(item is old for old in known))
