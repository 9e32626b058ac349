"""Decides how code of a trigger reaches its triggerer: which trigger speaks is known from the context it runs in."""

from __future__ import annotations

from contextvars import ContextVar

from orchestrator.sdk.execution.triggers.link import Link, Message

#: The trigger whose code runs; tasks and threads (``asyncio.to_thread``) that it starts inherit it.
current_trigger: ContextVar[int | None] = ContextVar("current_trigger", default=None)


class TriggerChannel:
    """The channel of ``Variable``, ``Connection``, XComs and log records in the runner of triggers."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def request(self, message: Message) -> Message:
        """Ask the triggerer, in the name of the current trigger."""
        return self._link.ask({"type": "Ask", "id": current_trigger.get(), "body": message})

    def send(self, message: Message) -> None:
        """Pass a log record on, or say something that needs no answer."""
        if message["type"] == "Log":
            self._link.say({"type": "Log", "id": current_trigger.get(), "record": message["record"]})
        else:
            self._link.say({"type": "Tell", "id": current_trigger.get(), "body": message})
