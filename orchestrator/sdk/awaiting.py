"""Decides how a coroutine waits for a call that blocks: in a thread, so that its event loop goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what ``call`` returns, or raise what it raises; asyncio is loaded only here, as few DAG files need it."""
    import asyncio

    return await asyncio.to_thread(call, *args, **kwargs)
