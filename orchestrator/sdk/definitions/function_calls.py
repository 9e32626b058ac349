"""Decides what is read from a function that becomes a task: whether it can be called so, and what it returns."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from typing import Any, get_origin, get_type_hints

from orchestrator.sdk.definitions.context_keys import CONTEXT_KEYS


def unwrap(function: Any) -> Any:
    """Return the plain function inside partials and wrappers."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def infer_multiple_outputs(function: Any) -> bool:
    """Return whether the return annotation is a dict, so that each item is pushed under its own key."""
    try:
        hint = get_type_hints(unwrap(function)).get("return")
    except Exception:
        # An annotation that cannot be read (a name under TYPE_CHECKING, say) says nothing.
        return False
    kind = get_origin(hint) or hint
    return isinstance(kind, type) and issubclass(kind, Mapping)


def bind_arguments(function: Any, args: Collection[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise ``TypeError`` if the function cannot be called so; parameters named as context keys may be left out.

    Raises ``ValueError`` for a context key whose default is not None: the platform fills it.
    """
    signature = inspect.signature(function)
    parameters = []
    seen_default = False
    for parameter in signature.parameters.values():
        if parameter.name in CONTEXT_KEYS and parameter.kind is not parameter.VAR_KEYWORD:
            if parameter.default not in (None, parameter.empty):
                raise ValueError(f"Context key parameter {parameter.name} can't have a default other than None")
            parameter = parameter.replace(default=None)
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            if seen_default and parameter.default is parameter.empty:
                # Only for this check: Python refuses a parameter without default after one with default.
                parameter = parameter.replace(default=_REQUIRED)
            seen_default = seen_default or parameter.default is not parameter.empty
        parameters.append(parameter)
    checked = signature.replace(parameters=parameters)
    bound = checked.bind(*args, **kwargs)
    bound.apply_defaults()
    missing = [name for name, value in bound.arguments.items() if value is _REQUIRED]
    if missing:
        raise TypeError(f"missing a required argument: {missing[0]!r}")


_REQUIRED = object()
