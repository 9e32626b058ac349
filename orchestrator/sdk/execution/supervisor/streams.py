"""Decides how what a task says and prints is read without holding up the loop for the others."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from orchestrator.sdk.execution.frames import FrameDecoder, encode_frame
from orchestrator.sdk.execution.supervisor.loop import READABLE, WRITABLE, Loop
from orchestrator.sdk.execution.supervisor.task_log import LineSplitter, TaskLog

Message = dict[str, Any]

READ_BYTES = 64 * 1024
PAUSE_SECONDS = 0.02
OUTPUTS = (("task.stdout", "info"), ("task.stderr", "error"))
LAST_MESSAGES = 10_000
LAST_READS = 32  # what a pipe can hold at the end of a task: 1 MB is more than any pipe has by default


class Streams:
    """The channel, stdout and stderr of one task process; the task's ends are in `descriptors`."""

    def __init__(self, loop: Loop, log: TaskLog, on_message: Callable[[int | None, Message], None]) -> None:
        self._loop, self._log, self._on_message = loop, log, on_message
        self._channel, theirs = socket.socketpair()
        self._decoder = FrameDecoder()
        self._unsent = bytearray()
        self._closed = False
        self._outputs: dict[int, LineSplitter] = {}
        descriptors = [theirs.detach()]
        for logger, level in OUTPUTS:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(reading, False)
            self._outputs[reading] = LineSplitter(
                lambda lines, logger=logger, level=level: log.output(lines, logger, level)  # type: ignore[misc]
            )
            descriptors.append(writing)
        self.descriptors = descriptors
        self._channel.setblocking(False)
        loop.add(self._channel.fileno(), READABLE, self._channel_ready)
        for fd in self._outputs:
            loop.add(fd, READABLE, lambda _events, fd=fd: self._output_ready(fd))  # type: ignore[misc]

    def release_descriptors(self) -> None:
        """Close the task's ends in this process."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []

    def send(self, number: int | None, message: Message) -> None:
        """Send a message to the task, now or when its socket has room."""
        if self._closed:
            return
        frame = encode_frame(number, message)
        if not self._unsent:
            try:
                sent = self._channel.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                return
            if sent == len(frame):
                return
            frame = frame[sent:]
            self._loop.change(self._channel.fileno(), READABLE | WRITABLE)
        self._unsent += frame

    def close(self) -> None:
        """Read what is there, then close everything; a process that still holds an end cannot keep it open."""
        if self._closed:
            return
        self._closed = True
        self.release_descriptors()
        for _ in range(LAST_MESSAGES):
            if not self._read_channel():
                break
        for fd in list(self._outputs):
            for _ in range(LAST_READS):
                if not self._read_output(fd):
                    break
            self._close_output(fd)
        self._loop.remove(self._channel.fileno())
        self._channel.close()

    def _channel_ready(self, events: int) -> None:
        if events & WRITABLE and self._unsent:
            self._flush()
        if events & ~WRITABLE and self._read_channel() is False:
            self._loop.remove(self._channel.fileno())

    def _flush(self) -> None:
        try:
            del self._unsent[: self._channel.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            self._loop.change(self._channel.fileno(), READABLE)

    def _read_channel(self) -> bool | None:
        """Take one piece of what the task says; return False at the end, None when there is nothing now."""
        try:
            data = self._channel.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return False
        for number, message in self._decoder.feed(data):
            self._on_message(number, message)
        return bool(data)

    def _output_ready(self, fd: int) -> None:
        if self._log.is_behind:
            self._loop.remove(fd)  # not merely masked: a closed pipe would report itself all the time
            self._loop.call_later(PAUSE_SECONDS, lambda: self._resume(fd))
        elif self._read_output(fd) is False:
            self._close_output(fd)

    def _resume(self, fd: int) -> None:
        if fd in self._outputs:
            self._loop.add(fd, READABLE, lambda _events: self._output_ready(fd))

    def _read_output(self, fd: int) -> bool | None:
        """Take one piece of what the task printed; return False at the end, None when there is nothing now."""
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return False
        self._outputs[fd].feed(data)
        return bool(data)

    def _close_output(self, fd: int) -> None:
        splitter = self._outputs.pop(fd, None)
        if splitter is not None:
            splitter.finish()
            self._loop.remove(fd)
            os.close(fd)
