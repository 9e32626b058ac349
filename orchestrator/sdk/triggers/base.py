"""Decides what a trigger is: a wait that runs in the triggerer, and the event that ends it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass
class StartTriggerArgs:
    """What a task needs to start in the triggerer without a worker; ``timeout`` bounds the wait."""

    trigger_cls: str
    next_method: str
    trigger_kwargs: dict[str, Any] | None = None
    next_kwargs: dict[str, Any] | None = None
    timeout: timedelta | None = None

    def serialize(self) -> dict[str, Any]:
        """Return the parts by name."""
        return {
            "trigger_cls": self.trigger_cls,
            "next_method": self.next_method,
            "trigger_kwargs": self.trigger_kwargs,
            "next_kwargs": self.next_kwargs,
            "timeout": None if self.timeout is None else self.timeout.total_seconds(),
        }


class TriggerEvent:
    """What a trigger yields when the wait is over; ``payload`` goes to the method that the task resumes with."""

    def __init__(self, payload: Any = None, **_: Any) -> None:
        self.payload = payload

    def __repr__(self) -> str:
        return f"TriggerEvent<{self.payload!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TriggerEvent) and type(other) is type(self) and other.payload == self.payload

    __hash__ = None  # type: ignore[assignment]


class BaseTaskEndEvent(TriggerEvent):
    """Base of events that end the task without a worker; ``xcoms`` are pushed by key."""

    task_instance_state = ""

    def __init__(self, *, xcoms: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(payload=self.task_instance_state, **kwargs)
        self.xcoms = xcoms


class TaskSuccessEvent(BaseTaskEndEvent):
    """Ends the task as success."""

    task_instance_state = "success"


class TaskFailedEvent(BaseTaskEndEvent):
    """Ends the task as failed."""

    task_instance_state = "failed"


class TaskSkippedEvent(BaseTaskEndEvent):
    """Ends the task as skipped."""

    task_instance_state = "skipped"


class BaseTrigger:
    """Base of triggers: a subclass gives ``serialize()`` and the coroutine ``run()``."""

    supports_triggerer_queue = True
    task_instance: Any = None

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = kwargs

    @property
    def log(self) -> logging.Logger:
        """Return the logger of this trigger."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the import path of the class and its keyword arguments."""
        raise NotImplementedError(f"{type(self).__name__} must define serialize()")

    def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait and yield a ``TriggerEvent``; must never block the event loop."""
        raise NotImplementedError(f"{type(self).__name__} must define run()")

    async def cleanup(self) -> None:
        """Hook at the end of the wait, also when the triggerer stops."""

    async def on_kill(self) -> None:
        """Hook when the task is ended by a person while it waits."""

    @staticmethod
    def repr(classpath: str, kwargs: dict[str, Any]) -> str:
        """Return the trigger in words."""
        return f"<{classpath} {', '.join(f'{name}={value}' for name, value in kwargs.items())}>"

    def __repr__(self) -> str:
        return self.repr(*self.serialize())


class BaseEventTrigger(BaseTrigger):
    """Base of triggers that an ``AssetWatcher`` may use: they go on after an event."""

    supports_triggerer_queue = False

    @staticmethod
    def hash(classpath: str, kwargs: dict[str, Any]) -> int:
        """Return a number that is equal for equal triggers in every process."""
        text = json.dumps([classpath, kwargs], sort_keys=True, default=str)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)

    def shared_stream_key(self) -> Hashable | None:
        """Return what triggers that can share one source have in common; None shares nothing."""
        return None
