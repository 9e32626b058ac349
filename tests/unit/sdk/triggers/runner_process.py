"""Decides how a test drives a real runner of triggers: a fresh interpreter at the other end of a socket pair."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.oracle import REPOSITORY

TI = {
    "id": "0192b1f0-0000-7000-8000-000000000001",
    "dag_id": "d",
    "task_id": "t",
    "run_id": "r",
    "map_index": -1,
    "try_number": 1,
}


class RunnerProcess:
    """Starts triggers and keeps what the runner says."""

    def __init__(self, folder: Path) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60.0)
        self.heard: list[dict[str, Any]] = []
        self._rest = b""
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "orchestrator.sdk.execution.triggers"),
                    *("--fd", str(theirs.fileno()), "--parent", str(os.getpid())),
                ],
                pass_fds=[theirs.fileno()],
                cwd=REPOSITORY,
                env={**os.environ, "ORCHESTRATOR_TRIGGER_PATHS": str(folder)},
            )

    def send(self, **message: Any) -> None:
        """Send a message."""
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def start(self, trigger_id: int, classpath: str, **kwargs: Any) -> None:
        """Start a trigger."""
        self.send(type="Start", id=trigger_id, classpath=classpath, kwargs=json.dumps(kwargs), ti=TI)

    def wait_for(self, kind: str, trigger_id: int | None = None) -> dict[str, Any]:
        """Return the next message of a type (of a trigger) that no call has returned before."""
        while True:
            for index, message in enumerate(self.heard):
                if message["type"] == kind and trigger_id in (None, message.get("id")):
                    return self.heard.pop(index)
            self._read()

    def logged(self) -> list[str]:
        """Return the log lines heard so far."""
        return [message["record"]["event"] for message in self.heard if message["type"] == "Log"]

    def close(self) -> int:
        """Close the connection; the runner ends. Returns its exit code."""
        self.socket.close()
        return self.process.wait(60.0)

    def _read(self) -> None:
        data = self.socket.recv(65536)
        assert data, "the runner has ended"
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.heard += [json.loads(line) for line in lines]
