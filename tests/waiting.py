"""Decides how a test waits for something that another thread or process does; nothing else in the tests may sleep."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T],
    timeout: float = 60.0,
    *,
    what: str = "",
    interval: float = 0.02,
    wake: Event | None = None,
) -> T:
    """Return the first true value of ``predicate``.

    ``timeout`` and ``interval`` are in seconds. Setting ``wake`` ends a pause at once. Raises ``AssertionError``
    that tells ``what`` was waited for, with the last value seen.
    """
    ends = time.monotonic() + timeout
    pause = wake or Event()
    while not (value := predicate()):
        if time.monotonic() >= ends:
            raise AssertionError(f"after {timeout:g} s still waiting for {what or repr(predicate)}; last value: {value!r}")
        pause.wait(interval)
        pause.clear()
    return value
