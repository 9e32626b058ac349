"""Decides what code that asks for a database session gets: a clear refusal when it uses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

NEW_SESSION: Any = None


def provide_session(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is: its ``session`` argument stays None."""
    return func


def create_session(*args: Any, **kwargs: Any) -> NoReturn:
    """Refuse: DAG files and tasks have no database."""
    raise RuntimeError("Direct database access is not possible in DAG files and tasks; use the REST API or the context")
