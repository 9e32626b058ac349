"""Decides how one process that runs triggers is started, spoken to and ended."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from typing import Any

from runs.executors.supervisor_environment import supervisor_environment

log = logging.getLogger(__name__)

MODULE = "orchestrator.sdk.execution.triggers"
READ_BYTES = 262_144

Message = dict[str, Any]


class Lane:
    """A fresh interpreter without database URL and keys, and the triggers that were given to it.

    JSON documents, one per line, go both ways over a socket pair; neither side waits for the other.
    """

    def __init__(self, paths: list[str]) -> None:
        self.triggers: set[int] = set()
        self.exit_code: int | None = None
        self._input = b""
        self._output = bytearray()
        self.socket, theirs = socket.socketpair()
        self.socket.setblocking(False)
        with theirs:
            command = [sys.executable, "-m", MODULE, "--fd", str(theirs.fileno()), "--parent", str(os.getpid())]
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=_environment(paths),
                stdin=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        """The process id of the runner."""
        return self._process.pid

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended and everything that it said was read."""
        return self.exit_code is not None

    def send(self, message: Message) -> None:
        """Send a message; what the socket does not take now follows with the next message or look."""
        self._output += json.dumps(message).encode() + b"\n"
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        try:
            while self._output and not self.is_gone:
                del self._output[: self.socket.send(self._output)]
        except BlockingIOError:
            return
        except OSError:
            self._output.clear()  # the process is gone; reading finds that out

    def read(self) -> list[Message]:
        """Return the messages that have arrived; at the end of the stream the lane is gone."""
        ended = False
        while not self.is_gone and not ended:
            try:
                data = self.socket.recv(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            ended = not data
            self._input += data
        *lines, self._input = self._input.split(b"\n")
        messages = [json.loads(line) for line in lines]
        if ended:
            self._leave()
        return messages

    def kill(self) -> None:
        """End the process at once, without cleaning up."""
        self._process.kill()
        self._leave()

    def _leave(self) -> None:
        try:
            self.exit_code = self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.exit_code = self._process.wait()
        self.socket.close()


def _environment(paths: list[str]) -> dict[str, str]:
    kept = supervisor_environment()
    del kept["ORCHESTRATOR_SUPERVISOR"]
    return kept | {"ORCHESTRATOR_TRIGGER_PATHS": os.pathsep.join(paths)}
