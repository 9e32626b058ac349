"""Decides which names of the context a user's function is called with: only those that it accepts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any


class KeywordParameters:
    """The keyword arguments for one call of a function."""

    def __init__(self, kwargs: Mapping[str, Any]) -> None:
        self._kwargs = kwargs

    @classmethod
    def determine(cls, func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> KeywordParameters:
        """Return those of ``kwargs`` that ``func`` accepts beside the positional ``args``.

        Raises ``ValueError`` if a positional argument would take the place of one in ``kwargs``.
        """
        signature = inspect.signature(func)
        parameters = list(signature.parameters.values())
        for parameter in parameters[: len(args)]:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY):
                break
            if parameter.name in kwargs:
                raise ValueError(f"The key {parameter.name!r} in args is a part of kwargs and therefore reserved.")
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return cls(kwargs)
        callable_by_name = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        return cls({name: kwargs[name] for name in callable_by_name if name in kwargs})

    def unpacking(self) -> Mapping[str, Any]:
        """Return the arguments, ready for ``**``."""
        return self._kwargs


def determine_kwargs(func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return those of ``kwargs`` that ``func`` accepts beside the positional ``args``."""
    return KeywordParameters.determine(func, args, kwargs).unpacking()


def make_kwargs_callable(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function so that it can be called with more names than it accepts."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **determine_kwargs(func, args, kwargs))

    return wrapper
