"""Decides how triggers run in one event loop: started, cancelled, moved, and what each of them ends with.

Whatever a trigger does (it cannot be imported, it raises, it never ends) is reported as that trigger's and stops no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import traceback
from contextlib import aclosing
from typing import Any

from orchestrator.sdk import log as task_log
from orchestrator.sdk.configuration import conf
from orchestrator.sdk.execution.channel import set_channel
from orchestrator.sdk.execution.triggers.channel import TriggerChannel, current_trigger
from orchestrator.sdk.execution.triggers.link import Link, Message
from orchestrator.sdk.execution.triggers.loading import is_loaded, make_trigger
from orchestrator.sdk.execution.triggers.watchdog import Watchdog
from orchestrator.sdk.serialization.values import encode
from orchestrator.sdk.triggers.base import BaseTaskEndEvent, BaseTrigger, TriggerEvent
from orchestrator.sdk.triggers.payload import kept_xcoms, with_lists

log = logging.getLogger("airflow.triggers")

CLEANUP_SECONDS = 5.0


def run(connection: socket.socket) -> int:
    """Run triggers until the other end closes the connection; return the exit code."""
    return asyncio.run(Runner(connection).serve())


class Runner:
    """The triggers of this process. ``serve`` runs them; commands come over the connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._link = Link(connection, self._arrived)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._reasons: dict[int, str] = {}
        self._on_kill_seconds = conf.getfloat("triggerer", "on_kill_timeout", fallback=30.0)
        self._ended = asyncio.Event()

    async def serve(self) -> int:
        """Run until the triggerer closes the connection, then let every trigger clean up."""
        self._loop = asyncio.get_running_loop()
        channel = TriggerChannel(self._link)
        set_channel(channel)
        undo_logging = task_log.install(channel, "INFO")
        self._watchdog = Watchdog(self._loop, self._blocked)
        self._link.start()
        self._watchdog.start()
        try:
            await self._ended.wait()
            await self._stop_all()
        finally:
            self._watchdog.stop()
            undo_logging()
            self._link.close()
        return 0

    def _arrived(self, message: Message | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take, message)

    def _take(self, message: Message | None) -> None:
        if message is None:
            self._ended.set()
        elif message["type"] == "Start":
            self._start(message)
        elif message["type"] == "Stop":
            self._stop(message["id"], message["reason"])
        elif message["type"] == "Shutdown":
            self._ended.set()

    def _start(self, message: Message) -> None:
        trigger_id = message["id"]
        if trigger_id not in self._tasks:
            task = self._loop.create_task(self._run(message), name=f"trigger-{trigger_id}")
            self._watchdog.own(task, trigger_id)
            self._tasks[trigger_id] = task

    def _stop(self, trigger_id: int, reason: str) -> None:
        task = self._tasks.get(trigger_id)
        if task is None:
            self._link.say({"type": "Stopped", "id": trigger_id})
            return
        self._reasons[trigger_id] = reason
        task.cancel()

    async def _run(self, message: Message) -> None:
        """Run one trigger to its end and say what it ended with."""
        trigger_id = message["id"]
        current_trigger.set(trigger_id)
        try:
            outcome = await self._outcome(message)
        except BaseException as error:
            reason = self._reasons.get(trigger_id)
            stopped = isinstance(error, asyncio.CancelledError) and reason is not None
            outcome = {"type": "Stopped"} if stopped else _failure(error)
        self._tasks.pop(trigger_id, None)
        self._reasons.pop(trigger_id, None)
        self._link.say({**outcome, "id": trigger_id})

    async def _outcome(self, message: Message) -> Message:
        arguments = (message["classpath"], message["kwargs"], message.get("ti"))
        if is_loaded(message["classpath"]):
            trigger = make_trigger(*arguments)
        else:
            trigger = await asyncio.to_thread(make_trigger, *arguments)
        try:
            log.info("trigger %s starting", trigger)
            if message.get("goes_on"):
                return await self._all_events(message["id"], trigger)
            return await _first_event(trigger)
        except asyncio.CancelledError:
            if self._reasons.get(message["id"]) == "cancelled":
                await self._kill(trigger)
            raise
        finally:
            await self._clean_up(trigger)

    async def _all_events(self, trigger_id: int, trigger: BaseTrigger) -> Message:
        """Say every event at once, and at the end that there are no more."""
        async with aclosing(trigger.run()) as events:  # type: ignore[type-var]
            async for event in events:
                if not isinstance(event, TriggerEvent):
                    raise TypeError(f"The trigger yielded {event!r}; it must yield a TriggerEvent.")
                log.info("trigger %s fired: %r", trigger, event)
                self._link.say({**_event(event), "id": trigger_id})
        return {"type": "Ended", "state": None, "xcoms": None}

    async def _kill(self, trigger: BaseTrigger) -> None:
        log.info("Trigger cancelled by user action, invoking on_kill")
        try:
            await asyncio.wait_for(trigger.on_kill(), self._on_kill_seconds)
        except TimeoutError:
            log.warning("on_kill() took more than %s seconds ([triggerer] on_kill_timeout)", self._on_kill_seconds)
        except Exception:
            log.warning("on_kill() raised an exception", exc_info=True)

    async def _clean_up(self, trigger: BaseTrigger) -> None:
        try:
            await asyncio.wait_for(trigger.cleanup(), CLEANUP_SECONDS)
        except Exception:
            log.warning("cleanup() raised an exception", exc_info=True)

    async def _stop_all(self) -> None:
        tasks = list(self._tasks.values())
        for trigger_id in list(self._tasks):
            self._stop(trigger_id, "stopping")
        if tasks:
            await asyncio.wait(tasks, timeout=CLEANUP_SECONDS)

    def _blocked(self, trigger_id: int | None, seconds: float, stack: str) -> None:
        who = f"Trigger {trigger_id}" if trigger_id is not None else "Code of no known trigger"
        record: dict[str, Any] = {
            "level": "warning",
            "event": f"{who} blocks the event loop of all triggers for {seconds:.1f} s; it must await instead. Stack:\n{stack}",
            "logger": "airflow.triggers",
        }
        self._link.say({"type": "Log", "id": trigger_id, "record": record})
        self._link.say({"type": "Blocked", "id": trigger_id, "seconds": seconds})


async def _first_event(trigger: BaseTrigger) -> Message:
    events = trigger.run()
    try:
        async for event in events:
            if not isinstance(event, TriggerEvent):
                raise TypeError(f"The trigger yielded {event!r}; it must yield a TriggerEvent.")
            log.info("trigger %s fired: %r", trigger, event)
            return _event(event)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    log.error("Trigger exited without sending an event. Dependent tasks will be failed.")
    return {"type": "Failed", "traceback": ["The trigger ended without an event: its run() must yield a TriggerEvent."]}


def _event(event: TriggerEvent) -> Message:
    if isinstance(event, BaseTaskEndEvent):
        return {"type": "Ended", "state": event.task_instance_state, "xcoms": kept_xcoms(event.xcoms)}
    return {"type": "Event", "payload": encode(with_lists(event.payload))}


def _failure(error: BaseException) -> Message:
    log.error("Trigger failed", exc_info=error)
    return {"type": "Failed", "traceback": traceback.format_exception(error)}
