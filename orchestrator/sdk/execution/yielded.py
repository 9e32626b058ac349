"""Decides what the values that a task function yields mean: facts about assets that it has written."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator
from typing import Any

from orchestrator.sdk.definitions.asset import Metadata

log = logging.getLogger("task")


def call(function: Callable[..., Any], outlet_events: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function and return its result; a generator function is run to its end, and what it yields is noted.

    Args:
        outlet_events: of the context; each ``Metadata`` adds its extra to the event of its asset.
    """
    if not inspect.isgeneratorfunction(function):
        return function(*args, **kwargs)
    return _exhaust(function(*args, **kwargs), outlet_events)


def _exhaust(steps: Generator[Any, Any, Any], outlet_events: Any) -> Any:
    while True:
        try:
            item = next(steps)
        except StopIteration as end:
            return end.value
        if not isinstance(item, Metadata):
            log.warning("Ignoring unknown data of %r received from task", type(item))
            continue
        outlet_events[item.asset].extra.update(item.extra)
        if item.alias:
            outlet_events[item.alias].add(item.asset, extra=item.extra)
