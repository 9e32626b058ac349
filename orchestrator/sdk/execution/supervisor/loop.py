"""Decides in which order the supervisor's callbacks run: ready descriptors, due timers, posts of other threads."""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import select
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT


class Timer:
    """A callback that is due at a moment; `cancel` makes it do nothing."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback."""
        self.callback = None


class Loop:
    """One thread, one epoll object; a callback that raises is logged and the loop goes on."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopped = False
        self.add(self._wake, READABLE, self._woken)

    def add(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Call `callback(events)` whenever `fd` is ready."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        """Wait for other events on `fd`; 0 pauses it."""
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forget `fd`; call it before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once, `seconds` from now."""
        timer = Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), timer))
        return timer

    def post(self, callback: Callable[[], None]) -> None:
        """Call `callback` soon, in the loop's thread. Safe from any thread and from signal handlers."""
        self._posted.append(callback)
        os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """Make `run` return after the current round."""
        self._stopped = True

    def run(self) -> None:
        """Run callbacks until `stop`."""
        while not self._stopped:
            self.run_once()

    def run_once(self) -> None:
        """Wait for something to do and do it."""
        for fd, events in self._epoll.poll(self._timeout(), 64):
            callback = self._callbacks.get(fd)
            if callback is not None:
                self._call(lambda callback=callback, events=events: callback(events))  # type: ignore[misc]
        while self._timers and self._timers[0][0] <= time.monotonic():
            timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                self._call(timer.callback)

    def _timeout(self) -> float:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return -1
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _woken(self, _events: int) -> None:
        os.eventfd_read(self._wake)
        for _ in range(len(self._posted)):
            self._call(self._posted.popleft())

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            log.exception("A callback of the supervisor failed; the supervisor goes on")
