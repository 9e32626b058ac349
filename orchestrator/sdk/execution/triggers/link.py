"""Decides how the runner of triggers talks with the triggerer: one JSON document per line, never waiting for it.

One thread writes and one reads, so that neither a slow triggerer nor a trigger that blocks the event loop stops the other.
"""

from __future__ import annotations

import itertools
import json
import queue
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from orchestrator.sdk.execution.frames import ChannelClosed

Message = dict[str, Any]

READ_BYTES = 65536
MOST_LOGS_WAITING = 10_000


class Link:
    """The runner's end of the socket; ``say`` and ``ask`` may be called from any thread.

    Args:
        connection: a connected stream socket.
        on_message: takes each message that is no answer, in the reading thread; None once at the end.
    """

    def __init__(self, connection: socket.socket, on_message: Callable[[Message | None], None]) -> None:
        self._connection = connection
        self._on_message = on_message
        self._outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._asked: dict[int, Future[Message]] = {}
        self._is_closed = False
        self._reader = threading.Thread(target=self._read, name="link-reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="link-writer", daemon=True)

    def start(self) -> None:
        """Begin to read and write."""
        self._reader.start()
        self._writer.start()

    def say(self, message: Message) -> None:
        """Send a message; log records are dropped while too many wait."""
        if message["type"] == "Log" and self._outgoing.qsize() > MOST_LOGS_WAITING:
            return
        self._outgoing.put(message)

    def ask(self, message: Message) -> Message:
        """Send a question and wait for its answer; raises ``ChannelClosed`` when the triggerer is gone."""
        if self._is_closed:
            raise ChannelClosed("The triggerer of this trigger is gone.")
        number = next(self._numbers)
        answer: Future[Message] = Future()
        self._asked[number] = answer
        self._outgoing.put({**message, "number": number})
        return answer.result()

    def close(self) -> None:
        """Write what was said, then end."""
        self._outgoing.put(None)
        self._writer.join(5.0)
        self._connection.close()

    def _write(self) -> None:
        while (message := self._outgoing.get()) is not None:
            try:
                self._connection.sendall(json.dumps(message, default=str).encode() + b"\n")
            except OSError:
                return

    def _read(self) -> None:
        rest = b""
        try:
            while data := self._connection.recv(READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
        except OSError:
            pass
        finally:
            self._end()

    def _take(self, message: Message) -> None:
        if message["type"] != "Answer":
            self._on_message(message)
            return
        answer = self._asked.pop(message["number"], None)
        if answer is not None:
            answer.set_result(message["body"])

    def _end(self) -> None:
        self._is_closed = True
        for answer in list(self._asked.values()):
            answer.set_exception(ChannelClosed("The triggerer of this trigger is gone."))
        self._on_message(None)
