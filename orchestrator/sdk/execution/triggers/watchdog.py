"""Decides which trigger is named when the event loop stands still."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from weakref import WeakKeyDictionary

from orchestrator.sdk.execution.triggers.channel import current_trigger

PING_SECONDS = 0.5
# After a late answer the loop is asked more often for a while: blocks are then seen from their beginning.
LATE_SECONDS, CLOSE_PING_SECONDS, CLOSE_FOR_SECONDS = 0.2, 0.05, 30.0

Report = Callable[[int | None, float, str], None]


class Watchdog:
    """A thread that asks the loop for a sign of life and names the trigger whose code holds it up.

    Args:
        loop: the loop that runs the triggers; its task factory is replaced.
        report: takes the trigger's id (None where it is not known), the seconds so far, and the stack; in this thread.
        thresholds: seconds of one block at which it is reported, ascending.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, report: Report, thresholds: tuple[float, ...] = (1.0, 10.0)) -> None:
        self._loop = loop
        self._report = report
        self._thresholds = thresholds
        self._owners: WeakKeyDictionary[asyncio.Task[object], int] = WeakKeyDictionary()
        self._loop_thread = threading.get_ident()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        loop.set_task_factory(self._make_task)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def _make_task(self, loop: asyncio.AbstractEventLoop, coro, **options):  # type: ignore[no-untyped-def]
        task = asyncio.Task(coro, loop=loop, **options)
        owner = current_trigger.get()
        if owner is not None:
            self._owners[task] = owner
        return task

    def own(self, task: asyncio.Task[object], trigger_id: int) -> None:
        """Note whose code a task runs."""
        self._owners[task] = trigger_id

    def _run(self) -> None:
        late_until = 0.0
        while not self._stopped.wait(CLOSE_PING_SECONDS if time.monotonic() < late_until else PING_SECONDS):
            answered = threading.Event()
            began = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(answered.set)
            except RuntimeError:  # the loop is closed
                return
            self._watch(answered, began)
            if time.monotonic() - began > LATE_SECONDS:
                late_until = time.monotonic() + CLOSE_FOR_SECONDS

    def _watch(self, answered: threading.Event, began: float) -> None:
        for threshold in self._thresholds:
            if answered.wait(max(0.0, threshold - (time.monotonic() - began))):
                return
            task = asyncio.current_task(self._loop)
            owner = self._owners.get(task) if task is not None else None
            self._report(owner, time.monotonic() - began, self._stack())
        answered.wait()

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "".join(traceback.format_stack(frame)) if frame is not None else ""
