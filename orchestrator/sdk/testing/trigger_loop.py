"""Decides how triggers of a run in memory are waited for: all in one event loop that runs only while nothing else can."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.sdk.execution.channel import Message, set_channel
from orchestrator.sdk.testing.clock import TravelClock
from orchestrator.sdk.testing.store import Store, TaskResult
from orchestrator.sdk.testing.store_channel import StoreChannel

#: The channel of the task whose trigger's code runs; what that code starts inherits it.
_speaking: ContextVar[StoreChannel] = ContextVar("speaking")


class _LoopChannel:
    """The channel of all triggers of the loop: passes on to the one of the trigger that speaks."""

    is_usable = True

    def request(self, message: Message) -> Message:
        """Ask in the name of the trigger that runs."""
        return _speaking.get().request(message)

    def send(self, message: Message) -> None:
        """Tell in the name of the trigger that runs."""
        _speaking.get().send(message)


@dataclass
class Fired:
    """What one wait ended with: an event, an end of the task, a failure of the trigger, or the end of its time.

    ``payload`` and ``xcoms`` are in the wire format of XComs.
    """

    instance: TaskResult
    payload: Any = None
    state: str | None = None
    xcoms: dict[str, Any] | None = None
    failure: str = ""
    traceback: list[str] | None = None


class TriggerLoop:
    """The triggers of one run. ``wait`` gives what ended; ``close`` ends the others."""

    def __init__(self, store: Store, clock: TravelClock, on_log: Callable[[dict[str, Any]], None]) -> None:
        self._store, self._clock, self._on_log = store, clock, on_log
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[asyncio.Task[Fired], TaskResult] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, instance: TaskResult, message: Message) -> None:
        """Begin to wait as a ``DeferTask`` message says."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        limit = seconds_of(message.get("trigger_timeout"))
        work = self._run(instance, message["classpath"], message.get("trigger_kwargs") or {}, limit)
        self._tasks[self._loop.create_task(work)] = instance

    def wait(self, seconds: float | None) -> list[Fired]:
        """Let the triggers work until one has ended, for some seconds at most; None: as long as it takes."""
        if self._loop is None or not self._tasks:
            return []
        waiting = asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        set_channel(_LoopChannel())
        try:
            with self._clock.shown_to(None):
                done, _ = self._loop.run_until_complete(waiting)
        finally:
            set_channel(None)
        ended = [task for task in self._tasks if task in done]
        for task in ended:
            del self._tasks[task]
        return [task.result() for task in ended]

    def give_up(self, why: str) -> list[Fired]:
        """Cancel what still waits, and let it count as failed triggers."""
        left = list(self._tasks.values())
        self._cancel()
        return [Fired(instance, failure="Trigger failure", traceback=[why]) for instance in left]

    def close(self) -> None:
        """Cancel what still waits; nothing can be started any more."""
        self._cancel()
        if self._loop is not None:
            self._loop.close()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks and self._loop is not None:
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._tasks.clear()

    async def _run(self, instance: TaskResult, classpath: str, kwargs: Any, limit: float | None) -> Fired:
        from orchestrator.sdk.execution.triggers.loading import make_trigger

        _speaking.set(StoreChannel(self._store, instance, self._clock, self._on_log))
        ids = {"dag_id": instance.dag_id, "task_id": instance.task_id, "run_id": instance.run_id, "id": instance.id}
        ti = {**ids, "map_index": instance.map_index, "try_number": instance.try_number}
        try:
            trigger = make_trigger(classpath, json.dumps(kwargs), ti)
            if self._is_too_late(trigger, limit):
                return Fired(instance, failure="Trigger timeout")
            return await asyncio.wait_for(_first_event(instance, trigger), limit)
        except TimeoutError as error:
            if limit is None:
                return _failed(instance, error)
            return Fired(instance, failure="Trigger timeout")
        except Exception as error:
            return _failed(instance, error)

    def _is_too_late(self, trigger: Any, limit: float | None) -> bool:
        """Leap to the moment of a trigger that waits for the clock alone; tell whether the wait ends before."""
        from orchestrator.sdk.triggers.temporal import DateTimeTrigger

        if not isinstance(trigger, DateTimeTrigger):
            return False
        moment: datetime = trigger.moment  # type: ignore[assignment]
        if limit is not None and (moment - self._clock.now()).total_seconds() > limit:
            self._clock.leap(limit)
            return True
        self._clock.leap_to(moment)
        return False


async def _first_event(instance: TaskResult, trigger: Any) -> Fired:
    from orchestrator.sdk.serialization.values import encode
    from orchestrator.sdk.triggers.base import BaseTaskEndEvent
    from orchestrator.sdk.triggers.payload import kept_xcoms, with_lists

    try:
        async for event in trigger.run():
            if isinstance(event, BaseTaskEndEvent):
                return Fired(instance, state=event.task_instance_state, xcoms=kept_xcoms(event.xcoms))
            return Fired(instance, payload=encode(with_lists(event.payload)))
        raise RuntimeError("The trigger ended without an event: its run() must yield a TriggerEvent.")
    finally:
        await trigger.cleanup()


def _failed(instance: TaskResult, error: BaseException) -> Fired:
    return Fired(instance, failure="Trigger failure", traceback=traceback.format_exception(error))


def seconds_of(text: str | None) -> float | None:
    """Return the seconds of an ISO 8601 duration as ``DeferTask`` carries it; None for None."""
    if text is None:
        return None
    sign, text = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    days, _, rest = text.removeprefix("P").partition("T")
    found = float(days.removesuffix("D") or 0) * 86400 if days else 0.0
    return sign * (found + float(rest.removesuffix("S") or 0))
