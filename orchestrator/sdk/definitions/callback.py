"""Decides how a callback is named, so that another process can call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


class Callback:
    """A callable by its import path, with keyword arguments."""

    def __init__(self, callback_callable: Callable[..., Any] | str, kwargs: dict[str, Any] | None = None) -> None:
        self.path = self.get_callback_path(callback_callable)
        if kwargs and "context" in kwargs:
            raise ValueError("context is a reserved kwarg for this class")
        self.kwargs = kwargs or {}

    @classmethod
    def get_callback_path(cls, callback: Callable[..., Any] | str) -> str:
        """Return the import path; raises ``ImportError`` for something that cannot be imported by name."""
        if callable(callback):
            cls.verify_callable(callback)
            path = f"{callback.__module__}.{callback.__qualname__}"
            if "<" in path:
                raise ValueError(f"callback {path} cannot be imported by name; define it at the top level of a module")
            return path
        if not isinstance(callback, str) or not callback.strip():
            raise ImportError(f"{callback!r} is not a path in dotted notation")
        if not all(part.isidentifier() for part in callback.strip().split(".")):
            raise ImportError(f"{callback!r} doesn't look like a valid dot path.")
        return callback.strip()

    @classmethod
    def verify_callable(cls, callback: Callable[..., Any]) -> None:
        """Hook: raise for a callable that this kind cannot use."""

    def serialize(self) -> dict[str, Any]:
        """Return kind, path and arguments."""
        return {"type": type(self).__name__, "path": self.path, "kwargs": self.kwargs}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.serialize() == self.serialize()

    def __hash__(self) -> int:
        return hash((type(self), self.path))


class AsyncCallback(Callback):
    """A coroutine function, called in the triggerer."""

    @classmethod
    def verify_callable(cls, callback: Callable[..., Any]) -> None:
        """Raise ``AttributeError`` for a function that is not awaitable."""
        if not (inspect.iscoroutinefunction(callback) or hasattr(callback, "__await__")):
            raise AttributeError(f"Provided callback {callback} is not awaitable.")


class SyncCallback(Callback):
    """A function, called by an executor."""

    def __init__(self, callback_callable: Any, kwargs: dict[str, Any] | None = None, executor: str | None = None) -> None:
        super().__init__(callback_callable, kwargs)
        self.executor = executor

    def serialize(self) -> dict[str, Any]:
        """Return also the executor."""
        return {**super().serialize(), "executor": self.executor}
