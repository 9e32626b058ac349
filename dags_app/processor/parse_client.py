"""Decides how the DAG processor keeps a parse zygote: started on demand, restarted when it dies, ended when idle."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping

from orchestrator.config import PROJECT_ROOT
from orchestrator.config.options import OPTIONS
from orchestrator.kernel.clock import monotonic
from orchestrator.sdk.parsing.inputs import file_hash
from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse, read_response

log = logging.getLogger(__name__)

CHUNK = 1024 * 1024


class ParseClient:
    """The owner's end of the zygote. ``submit`` never blocks for long; ``collect`` returns what is ready."""

    def __init__(self, idle_seconds: float = 10.0) -> None:
        self._idle_seconds = idle_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._requests: dict[int, ParseRequest] = {}
        self._sent: set[int] = set()
        self._one_by_one: deque[int] = deque()
        self._last_used = monotonic()
        self._next_id = 0

    @property
    def in_flight(self) -> int:
        """How many requests have no response yet."""
        return len(self._requests)

    @property
    def fileno(self) -> int | None:
        """The descriptor that becomes readable with a response; None while no zygote runs."""
        return self._socket.fileno() if self._socket else None

    def submit(self, request: ParseRequest) -> int:
        """Hand over a file; returns the id that its response carries."""
        self._next_id += 1
        request.id = self._next_id
        self._requests[request.id] = request
        self._last_used = monotonic()
        if self._one_by_one:
            self._one_by_one.append(request.id)
        else:
            self._send(request)
        return request.id

    def collect(self) -> list[ParseResponse]:
        """Return the responses that have arrived; a dead zygote is replaced."""
        responses: list[ParseResponse] = []
        while self._socket is not None and self._read():
            responses += self._take_lines()
        if self._requests and self._is_dead():
            responses += self._replace()
        if self._one_by_one and not self._sent:
            self._send(self._requests[self._one_by_one.popleft()])
        return responses

    def close_if_idle(self) -> None:
        """End the zygote when nothing was parsed for a while, so that an idle platform is small."""
        if not self._requests and self._process and monotonic() - self._last_used > self._idle_seconds:
            self.close()

    def close(self) -> None:
        """End the zygote and all its children."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._buffer.clear()

    def _send(self, request: ParseRequest) -> None:
        if self._is_dead():
            self._start()
        assert self._socket is not None  # noqa: S101
        self._sent.add(request.id)
        try:
            self._socket.settimeout(10)
            self._socket.sendall(request.line())
        except OSError as error:
            log.warning("The parse zygote does not take requests (%s)", error)

    def _read(self) -> bool:
        assert self._socket is not None  # noqa: S101
        self._socket.setblocking(False)
        try:
            chunk = self._socket.recv(CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        if not chunk:
            self._socket.close()
            self._socket = None
        self._buffer += chunk
        return bool(chunk)

    def _take_lines(self) -> list[ParseResponse]:
        responses = []
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            try:
                response = read_response(line)
            except (ValueError, TypeError) as error:
                log.error("The parse zygote sent a line that is not a response: %s", error)
                continue
            if self._requests.pop(response.id, None) is not None:
                self._sent.discard(response.id)
                responses.append(response)
        self._last_used = monotonic()
        return responses

    def _is_dead(self) -> bool:
        return self._socket is None or self._process is None or self._process.poll() is not None

    def _replace(self) -> list[ParseResponse]:
        """Begin anew after a death. Who was alone with it is to blame; several suspects are parsed again one by one."""
        self.close()
        suspects, self._sent = sorted(self._sent), set()
        if len(suspects) != 1:
            self._one_by_one.extendleft(reversed(suspects))
            return []
        request = self._requests.pop(suspects[0])
        text = (
            f"{request.path}: the process that starts parse processes ended while this file was parsed; does it kill its parent?"
        )
        return [ParseResponse(id=request.id, import_error=text, content_hash=file_hash(request.path))]

    def _start(self) -> None:
        self.close()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "orchestrator.sdk.parsing.zygote", "--control-fd", str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, env=scrubbed_environment(os.environ), cwd=PROJECT_ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._socket = ours


def scrubbed_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for user code: without the database's address and without keys of the platform."""
    secret = {option.variable for option in OPTIONS.values() if option.sensitive}
    return {name: value for name, value in environ.items() if not _is_secret(name, secret)}


def _is_secret(name: str, secret: set[str]) -> bool:
    spellings = {name, name.removesuffix("_CMD"), name.removesuffix("_SECRET")}
    return (
        bool(spellings & secret) or name.startswith("AIRFLOW__DATABASE__") or name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    )
