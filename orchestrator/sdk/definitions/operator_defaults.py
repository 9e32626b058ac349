"""Decides where an operator's arguments come from: given ones, then ``default_args`` of task, group and DAG."""

from __future__ import annotations

import functools
import inspect
from abc import ABCMeta
from collections.abc import Callable
from typing import Any

from orchestrator.sdk.definitions.contexts import DagContext, TaskGroupContext
from orchestrator.sdk.definitions.nested_execution import guarded
from orchestrator.sdk.definitions.param import ParamsDict

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class BaseOperatorMeta(ABCMeta):
    """Wraps each ``__init__`` of an operator class, so that defaults reach every level of the inheritance, and ``execute``."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> BaseOperatorMeta:
        if "__init__" in namespace:
            namespace["__init__"] = _with_defaults(namespace["__init__"], name)
        if callable(namespace.get("execute")):
            namespace["execute"] = guarded(namespace["execute"])
        return super().__new__(mcs, name, bases, namespace, **kwargs)


def parent_defaults(dag: Any, task_group: Any) -> tuple[dict[str, Any], ParamsDict]:
    """Return the default arguments and params that a DAG and the groups in it give to a task."""
    args: dict[str, Any] = {}
    params = ParamsDict()
    if dag is not None:
        args.update(dag.default_args)
        params.update(dag.params)
        params._fill_missing_param_source("dag")
    groups = []
    while task_group is not None:
        groups.append(task_group)
        task_group = task_group.parent_group
    for group in reversed(groups):
        args.update(group.default_args)
        params.update(_replacing(args.get("params")))
    return args, params


def merged_defaults(dag: Any, task_group: Any, task_params: Any, task_default_args: Any) -> tuple[dict[str, Any], ParamsDict]:
    """Return default arguments and params of one task; its own come last and win."""
    args, params = parent_defaults(dag, task_group)
    if task_default_args is not None:
        if not isinstance(task_default_args, dict):
            raise TypeError(f"default_args must be a dict, not {type(task_default_args).__name__}")
        args.update(task_default_args)
    extra = args.pop("params", None)
    for own in (extra, task_params):
        params.update(_replacing(own))
    params._fill_missing_param_source("task")
    return args, params


def _replacing(params: Any) -> ParamsDict:
    """A param of a task takes the place of the DAG's of that name, with its schema and description."""
    return params if isinstance(params, ParamsDict) else ParamsDict(params or {})


def _with_defaults(init: Callable[..., None], class_name: str) -> Callable[..., None]:
    parameters = [p for name, p in list(inspect.signature(init).parameters.items())[1:] if p.kind not in _VARIABLE]
    names = frozenset(p.name for p in parameters) - {"params", "default_args"}
    required = tuple(p.name for p in parameters if p.default is inspect.Parameter.empty)

    @functools.wraps(init)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        if args:
            raise TypeError(f"{class_name}: use keyword arguments, such as task_id=...; got {len(args)} positional")
        outermost = not hasattr(self, "_given")
        if outermost:
            _begin(self, kwargs)
        defaults = self._default_values
        for name in names & defaults.keys() - kwargs.keys():
            kwargs[name] = defaults[name]
        missing = [name for name in required if name not in kwargs]
        if missing:
            task_id = self._given.get("task_id")
            raise TypeError(f"{class_name} (task_id: {task_id!r}) needs the argument {', '.join(map(repr, missing))}")
        init(self, **kwargs)
        if outermost:
            self._finish_init()

    return wrapper


def _begin(operator: Any, kwargs: dict[str, Any]) -> None:
    """Merge the defaults once per operator, before the outermost ``__init__`` runs."""
    operator._given = dict(kwargs)
    group = kwargs.get("task_group")
    dag = kwargs.get("dag") or (group.dag if group is not None else None) or DagContext.get_current()
    if group is None and dag is not None:
        group = TaskGroupContext.get_current(dag)
    args, params = merged_defaults(dag, group, kwargs.get("params"), kwargs.get("default_args"))
    operator._default_values = args
    if "params" in kwargs or len(params):
        kwargs["params"] = params
