"""Decides how a task process talks with its supervisor: the current channel, and a scripted one for tests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Protocol

from orchestrator.sdk.awaiting import in_thread
from orchestrator.sdk.exceptions import AirflowRuntimeError, ErrorType

Message = dict[str, Any]


class Channel(Protocol):
    """What the task process needs from its supervisor."""

    def request(self, message: Message) -> Message:
        """Send and wait for the answer; raises ``ChannelClosed`` when the supervisor is gone."""

    def send(self, message: Message) -> None:
        """Send without waiting for an answer."""


class ErrorResponse:
    """An ``ErrorResponse`` message as ``AirflowRuntimeError`` carries it."""

    def __init__(self, error: str, detail: dict[str, Any] | None = None) -> None:
        self.error = ErrorType(error) if error in ErrorType.__members__ else ErrorType.GENERIC_ERROR
        self.detail = detail

    def __repr__(self) -> str:
        return f"ErrorResponse(error={self.error}, detail={self.detail!r})"


class GuardedChannel:
    """The channel of this process; children that the task forks must neither write into it nor take its answers."""

    def __init__(self, inner: Channel) -> None:
        self._inner = inner
        self._pid = os.getpid()

    @property
    def is_usable(self) -> bool:
        """Tell whether this is the process that the channel belongs to."""
        return os.getpid() == self._pid

    def request(self, message: Message) -> Message:
        """Send and wait for the answer; raises ``RuntimeError`` in a forked child."""
        if not self.is_usable:
            raise RuntimeError(
                "This process was forked by the task, so it shares the task's channel and cannot ask for connections, variables "
                "or XComs. Read them before the fork and pass them on."
            )
        return self._inner.request(message)

    def send(self, message: Message) -> None:
        """Send without waiting for an answer; a message of a forked child is dropped."""
        if self.is_usable:
            self._inner.send(message)


class MemoryChannel:
    """A supervisor made of a function or a dict of answers; keeps every message, as JSON would carry it."""

    def __init__(self, answers: Callable[[Message], Message | None] | dict[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.messages: list[Message] = []
        self.is_usable = True

    def request(self, message: Message) -> Message:
        """Return the scripted answer, ``OKResponse`` where the script has none."""
        carried = json.loads(json.dumps(message, default=str))
        self.messages.append(carried)
        answer = self.answers(carried) if callable(self.answers) else self.answers.get(carried["type"])
        if callable(answer):
            answer = answer(carried)
        return json.loads(json.dumps(answer)) if answer is not None else {"type": "OKResponse", "ok": True}

    def send(self, message: Message) -> None:
        """Keep the message."""
        self.messages.append(json.loads(json.dumps(message, default=str)))

    def of_type(self, *kinds: str) -> list[Message]:
        """Return the kept messages of these types, in order."""
        return [message for message in self.messages if message["type"] in kinds]


_current: Channel | None = None


def set_channel(channel: Channel | None) -> None:
    """Make the channel the one that Variable, Connection and XCom use; None: there is no supervisor (parsing)."""
    global _current
    _current = channel


def current_channel() -> Channel | None:
    """Return the channel of this task process, None outside of one."""
    return _current


def ask(message: Message) -> Message:
    """Request through the current channel; raises ``AirflowRuntimeError`` for an error, ``RuntimeError`` without channel."""
    if _current is None:
        raise RuntimeError(f"{message['type']} works in a running task only: this process has no supervisor to ask.")
    answer = _current.request(message)
    if answer.get("type") == "ErrorResponse":
        raise AirflowRuntimeError(ErrorResponse(answer.get("error", "GENERIC_ERROR"), answer.get("detail")))
    return answer


def tell(message: Message) -> None:
    """Say something that needs no answer; it is carried out before any later request of this attempt."""
    if _current is None:
        raise RuntimeError(f"{message['type']} works in a running task only: this process has no supervisor to tell.")
    _current.send(message)


async def amask_secret(value: Any, name: str | None = None) -> None:
    """As ``mask_secret``, while the event loop goes on."""
    await in_thread(mask_secret, value, name)


def mask_secret(value: Any, name: str | None = None) -> None:
    """Ask the supervisor to hide the value in logs, rendered fields and errors.

    With a ``name``, a text is hidden only where the name sounds like a secret's; a dict goes by the names of its keys,
    and so does a text or number in it.
    """
    from orchestrator.sdk.execution.masking import secrets_in

    if _current is None or not getattr(_current, "is_usable", True):
        return
    for secret in sorted(secrets_in(value, name)):
        _current.send({"type": "MaskSecret", "value": secret, "name": None})
