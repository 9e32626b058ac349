"""Decides how the zygote starts, watches and ends one parse process."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable

from orchestrator.sdk.parsing.child import HARD_TIMEOUT_MARGIN_SECONDS, run_child
from orchestrator.sdk.parsing.failures import describe_exit
from orchestrator.sdk.parsing.inputs import file_hash
from orchestrator.sdk.parsing.log_lines import OutputLines, open_log
from orchestrator.sdk.parsing.protocol import LIMIT_MARK, LONGEST_LOG_BYTES, LONGEST_RESPONSE_BYTES, ParseRequest, ParseResponse

KILL_MARGIN_SECONDS = HARD_TIMEOUT_MARGIN_SECONDS + 2.0
CHUNK = 256 * 1024


class Running:
    """One forked parse process with its three pipes: the answer, stdout and stderr."""

    def __init__(self, request: ParseRequest, close_in_child: Iterable[int]) -> None:
        self.request = request
        self.started = time.monotonic()
        self.timed_out = False
        self.too_long = False
        self._answer = bytearray()
        self._log_fd = open_log(request.log_path)
        self._outputs: dict[int, OutputLines] = {}
        self._fork(close_in_child)

    @property
    def fds(self) -> list[int]:
        """The pipes to read from."""
        return [self._answer_fd, *self._outputs]

    @property
    def kill_at(self) -> float | None:
        """Monotonic seconds at which the process is killed; the last of three limits on its time."""
        limit = self.request.timeout_seconds
        return self.started + limit + KILL_MARGIN_SECONDS if limit else None

    def read(self, fd: int) -> bool:
        """Take what arrived on a pipe; False at its end."""
        try:
            chunk = os.read(fd, CHUNK)
        except BlockingIOError:
            return True
        if fd != self._answer_fd:
            self._outputs[fd].feed(chunk)
        elif len(self._answer) + len(chunk) <= LONGEST_RESPONSE_BYTES:
            self._answer += chunk
            self._take_limit()
        elif not self.too_long:
            self.too_long = True
            self.kill()
        return bool(chunk)

    def kill(self) -> None:
        """End the process and everything that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def finish(self, status: int) -> bytes:
        """Return the answer of a process that has ended, or one that says why there is none; closes all."""
        self.kill()  # what the file left running
        for fd in self.fds:
            self._drain(fd)
        self._take_limit()
        for output in self._outputs.values():
            output.close()
        line = bytes(self._answer) if self._is_complete(status) else self._failure(status)
        for fd in [*self.fds, self._log_fd]:
            if fd >= 0:
                os.close(fd)
        return line

    def _take_limit(self) -> None:
        if self._answer.startswith(LIMIT_MARK) and (end := self._answer.find(b"\n")) >= 0:
            self.request.timeout_seconds = float(self._answer[len(LIMIT_MARK) : end])
            del self._answer[: end + 1]

    def _is_complete(self, status: int) -> bool:
        return status == 0 and self._answer.endswith(b"\n") and self._answer.count(b"\n") == 1

    def _failure(self, status: int) -> bytes:
        stderr = self._outputs[self._stderr_fd].tail
        late = self.timed_out or "Timeout (" in stderr[:16_000]
        text = describe_exit(status, self.request, stderr, late)
        if self.too_long:
            text = f"{self.request.path}: its DAGs are longer than {LONGEST_RESPONSE_BYTES} bytes as JSON; make them smaller."
        seconds = round(time.monotonic() - self.started, 6)
        digest = file_hash(self.request.path)
        return ParseResponse(id=self.request.id, import_error=text, seconds=seconds, content_hash=digest).line()

    def _drain(self, fd: int) -> None:
        for _ in range(64):  # bounded: a process that escaped its group may write for ever
            before = len(self._answer)
            try:
                chunk = os.read(fd, CHUNK)
            except (BlockingIOError, OSError):
                return
            if not chunk:
                return
            if fd == self._answer_fd:
                self._answer += chunk if before + len(chunk) <= LONGEST_RESPONSE_BYTES else b""
            else:
                self._outputs[fd].feed(chunk)

    def _fork(self, close_in_child: Iterable[int]) -> None:
        answer, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            _become_child(self.request, [answer[1], stdout[1], stderr[1]], [answer[0], stdout[0], stderr[0], *close_in_child])
        for _, write_end in (answer, stdout, stderr):
            os.close(write_end)
        self._answer_fd, self._stderr_fd = answer[0], stderr[0]
        self._outputs[stdout[0]] = OutputLines(self._log_fd, "info", "stdout", LONGEST_LOG_BYTES)
        self._outputs[stderr[0]] = OutputLines(self._log_fd, "error", "stderr", LONGEST_LOG_BYTES)
        for fd in self.fds:
            os.set_blocking(fd, False)


def _become_child(request: ParseRequest, write_ends: list[int], close: list[int]) -> None:
    """Turn a fresh fork into a parse process in its own process group; never returns."""
    answer, stdout, stderr = write_ends
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
        for fd in [null, stdout, stderr, *close]:
            with contextlib.suppress(OSError):
                os.close(fd)
        entry: Callable[[ParseRequest, int], None] = run_child
        entry(request, answer)
    finally:
        os._exit(1)
