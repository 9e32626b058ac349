"""Decides how messages between a task process and its supervisor look on the wire."""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
from typing import Any

Message = dict[str, Any]

HEADER = struct.Struct(">I")
MAX_FRAME = 1 << 30  # bytes; the header could say 4 GB, which is always a mistake
READ_BYTES = 256 * 1024


def encode_frame(message_id: int | None, body: Message) -> bytes:
    """Return one frame: 4 bytes big-endian length, then JSON `{"id", "body"}`.

    Args:
        message_id: number that the answer repeats; None when no answer is wanted.
        body: the message; what is not JSON goes as its text.

    Raises:
        ValueError: the message is larger than 1 GB.
    """
    payload = json.dumps({"id": message_id, "body": body}, separators=(",", ":"), default=str).encode()
    if len(payload) > MAX_FRAME:
        raise ValueError(f"A message of {len(payload)} bytes is larger than the largest possible one ({MAX_FRAME} bytes).")
    return HEADER.pack(len(payload)) + payload


class FrameDecoder:
    """Cuts a stream of bytes into messages; keeps what is incomplete until more bytes come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int | None, Message]]:
        """Add `data` and return the messages that are now complete, as (id, body)."""
        self._buffer += data
        messages: list[tuple[int | None, Message]] = []
        start = 0
        while len(self._buffer) - start >= HEADER.size:
            (length,) = HEADER.unpack_from(self._buffer, start)
            end = start + HEADER.size + length
            if len(self._buffer) < end:
                break
            document = json.loads(self._buffer[start + HEADER.size : end])
            messages.append((document["id"], document["body"]))
            start = end
        del self._buffer[:start]
        return messages


class ChannelClosed(ConnectionError):
    """The supervisor closed the channel: this attempt has no owner any more."""


class Channel:
    """The task's end: blocking, safe for several threads of one task."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._decoder = FrameDecoder()
        self._arrived: list[tuple[int | None, Message]] = []
        self._numbers = itertools.count(1)
        self._sending = threading.RLock()
        self._asking = threading.RLock()

    def send(self, message: Message) -> None:
        """Send a message that has no answer.

        Raises:
            ChannelClosed: the supervisor is gone.
        """
        self._write(encode_frame(None, message))

    def request(self, message: Message) -> Message:
        """Send a message and wait for its answer, however long the supervisor needs.

        Raises:
            ChannelClosed: the supervisor is gone.
        """
        with self._asking:
            number = next(self._numbers)
            self._write(encode_frame(number, message))
            while True:
                answer_to, body = self._read()
                if answer_to == number:
                    return body

    def receive(self) -> Message:
        """Wait for a message that the supervisor sends on its own (the startup details).

        Raises:
            ChannelClosed: the supervisor does not want this attempt any more.
        """
        with self._asking:
            return self._read()[1]

    def _write(self, frame: bytes) -> None:
        try:
            with self._sending:
                self._connection.sendall(frame)
        except OSError as error:
            raise ChannelClosed(f"The supervisor of this task is gone ({error}).") from error

    def _read(self) -> tuple[int | None, Message]:
        while not self._arrived:
            try:
                data = self._connection.recv(READ_BYTES)
            except OSError as error:
                raise ChannelClosed(f"The supervisor of this task is gone ({error}).") from error
            if not data:
                raise ChannelClosed("The supervisor of this task closed the channel.")
            self._arrived.extend(self._decoder.feed(data))
        return self._arrived.pop(0)
