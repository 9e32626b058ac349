"""Decides how a function becomes a factory of DAGs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from orchestrator.sdk.definitions.dag import DAG


def dag(dag_id_or_func: Any = None, **decorator_kwargs: Any) -> Any:
    """Return a decorator; calling the decorated function makes the DAG, with its arguments as params.

    Works as ``@dag``, ``@dag("id")`` and ``@dag(dag_id="id", schedule=...)``; takes the arguments of ``DAG``.
    """
    if isinstance(dag_id_or_func, str):
        decorator_kwargs["dag_id"] = dag_id_or_func
    elif dag_id_or_func is not None:
        return _factory(dag_id_or_func, decorator_kwargs)

    def decorate(function: Callable[..., Any]) -> Callable[..., DAG]:
        return _factory(function, decorator_kwargs)

    return decorate


def _factory(function: Callable[..., Any], settings: dict[str, Any]) -> Callable[..., DAG]:
    @functools.wraps(function)
    def factory(*args: Any, **kwargs: Any) -> DAG:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = {"dag_id": function.__name__, **settings}
        if function.__doc__ and not arguments.get("doc_md"):
            arguments["doc_md"] = function.__doc__
        with DAG(**arguments) as made:
            made.fileloc = function.__globals__.get("__file__", made.fileloc)
            result = function(**{name: made.param(name, value) for name, value in bound.arguments.items()})
            _note_result(made, result)
        return made

    return factory


def _note_result(made: DAG, result: Any) -> None:
    from orchestrator.sdk.definitions.xcom_arg import PlainXComArg

    if isinstance(result, PlainXComArg) and result.key == "return_value" and result.operator.get_dag() is made:
        made.add_result(result)
