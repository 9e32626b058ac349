"""Decides how the supervisor and the executor that started it exchange messages: one JSON document per line."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from typing import Any

from orchestrator.sdk.execution.supervisor.loop import READABLE, WRITABLE, Loop

Message = dict[str, Any]
log = logging.getLogger(__name__)


class Control:
    """The supervisor's end of the control socket; messages to a scheduler that went away are dropped."""

    def __init__(
        self, loop: Loop, connection: socket.socket, on_message: Callable[[Message], None], on_end: Callable[[], None]
    ) -> None:
        self._loop, self._connection, self._on_message, self._on_end = loop, connection, on_message, on_end
        self._received = b""
        self._unsent = bytearray()
        self._flushing = False
        self._open = True
        connection.setblocking(False)
        loop.add(connection.fileno(), READABLE, self._ready)

    def send(self, message: Message) -> None:
        """Send soon; messages of one round of the loop share a write."""
        if not self._open:
            return
        self._unsent += json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if not self._flushing:
            self._flushing = True
            self._loop.post(self.flush)

    def flush(self) -> None:
        """Send what waits, as far as the other side takes it."""
        self._flushing = False
        if not self._open or not self._unsent:
            return
        try:
            del self._unsent[: self._connection.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._end()
            return
        if self._unsent:
            self._flushing = True
        self._loop.change(self._connection.fileno(), READABLE | (WRITABLE if self._unsent else 0))

    def _ready(self, events: int) -> None:
        if events & WRITABLE:
            self.flush()
        if self._open and events & ~WRITABLE:
            self._read()

    def _read(self) -> None:
        try:
            data = self._connection.recv(256 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        lines = (self._received + data).split(b"\n")
        self._received = lines.pop()
        for line in lines:
            self._handle(line)

    def _handle(self, line: bytes) -> None:
        try:
            self._on_message(json.loads(line))
        except Exception:
            log.exception("Cannot handle the message %r of the executor", line[:300])

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove(self._connection.fileno())
            self._connection.close()
            self._on_end()
