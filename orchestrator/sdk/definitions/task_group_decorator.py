"""Decides how a function becomes a factory of task groups, mapped or not."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.sdk.definitions.expand import (
    DictOfListsExpandInput,
    ListOfDictsExpandInput,
    MappedArgument,
    check_expand_kwargs,
)
from orchestrator.sdk.definitions.mapped_group import MappedTaskGroup
from orchestrator.sdk.definitions.task_group import TaskGroup
from orchestrator.sdk.definitions.xcom_arg import XComArg


class TaskGroupFactory:
    """What ``@task_group`` leaves in place of the function: call it in a DAG to make a group."""

    def __init__(
        self, function: Callable[..., Any], tg_kwargs: dict[str, Any], partial_kwargs: dict[str, Any] | None = None
    ) -> None:
        self.function, self.tg_kwargs = function, dict(tg_kwargs)
        self.partial_kwargs = partial_kwargs or {}
        self.tg_kwargs.setdefault("group_id", function.__name__)
        if function.__doc__:
            for name in ("tooltip", "doc_md"):
                self.tg_kwargs[name] = self.tg_kwargs.get(name) or function.__doc__
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make a group with the tasks that the function makes; returns what the function returns, else the group."""
        return self._fill(functools.partial(TaskGroup, add_suffix_on_collision=True, **self.tg_kwargs), *args, **kwargs)

    def _fill(self, make: Callable[[], TaskGroup], *args: Any, **kwargs: Any) -> Any:
        with make() as group:
            result = self.function(*args, **{**self.partial_kwargs, **kwargs})
        return group if result is None else result

    def override(self, **kwargs: Any) -> TaskGroupFactory:
        """Return the same with other group arguments."""
        return TaskGroupFactory(self.function, {**self.tg_kwargs, **kwargs}, self.partial_kwargs)

    def partial(self, **kwargs: Any) -> TaskGroupFactory:
        """Return the same with some arguments of the function given to all indexes."""
        self._check("partial", kwargs)
        return TaskGroupFactory(self.function, self.tg_kwargs, {**self.partial_kwargs, **kwargs})

    def expand(self, **kwargs: Any) -> Any:
        """Make a mapped group over lists, dicts or outputs."""
        if not kwargs:
            raise TypeError("no arguments to expand against")
        self._check("expand", kwargs)
        check_expand_kwargs(kwargs, f"task group {self.tg_kwargs['group_id']!r}")
        return self._map(DictOfListsExpandInput(kwargs), kwargs)

    def expand_kwargs(self, kwargs: Any) -> Any:
        """Make a mapped group over dicts of arguments."""
        if isinstance(kwargs, list | tuple):
            for item in kwargs:
                if not isinstance(item, XComArg | Mapping):
                    raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__}")
        elif not isinstance(kwargs, XComArg):
            raise TypeError(f"expected XComArg or list[dict], not {type(kwargs).__name__}")
        names = [name for name in inspect.signature(self.function).parameters if name not in self.partial_kwargs]
        return self._map(ListOfDictsExpandInput(kwargs), dict.fromkeys(names))

    def _map(self, expand_input: Any, names: Mapping[str, Any]) -> Any:
        make = functools.partial(MappedTaskGroup, expand_input=expand_input, add_suffix_on_collision=True, **self.tg_kwargs)
        return self._fill(make, **{name: MappedArgument(input=expand_input, key=name) for name in names})

    def _check(self, func: str, kwargs: Mapping[str, Any]) -> None:
        parameters = inspect.signature(self.function).parameters
        unknown = sorted(kwargs.keys() - parameters.keys())
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            raise TypeError(f"{func}() got an unexpected keyword argument {', '.join(map(repr, unknown))}")
        twice = sorted(kwargs.keys() & self.partial_kwargs.keys())
        if twice:
            raise TypeError(f"{func}() of task group {self.tg_kwargs['group_id']!r} got {twice} twice")


def task_group(python_callable: Any = None, **tg_kwargs: Any) -> Any:
    """Return a decorator that makes a factory of task groups; takes the arguments of ``TaskGroup``."""
    if isinstance(python_callable, str):
        tg_kwargs["group_id"] = python_callable
    elif python_callable is not None:
        return TaskGroupFactory(python_callable, tg_kwargs)

    def decorate(function: Callable[..., Any]) -> TaskGroupFactory:
        return TaskGroupFactory(function, tg_kwargs)

    return decorate
