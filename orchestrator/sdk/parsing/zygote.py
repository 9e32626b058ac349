"""Decides how parse processes are started cheaply: a clean process imports the SDK once and forks one child per file.

Started as ``python -m orchestrator.sdk.parsing.zygote --control-fd N`` with a scrubbed environment. It reads requests from
the control socket, runs as many at once as it is asked to, and writes one response per request. It ends at EOF.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Sequence

from orchestrator.sdk.parsing.protocol import read_request
from orchestrator.sdk.parsing.running import Running

CHUNK = 256 * 1024
NEVER = 3600.0
PRELOADED = (
    "airflow.sdk",
    "pendulum",
    "orchestrator.sdk.decorators",
    "orchestrator.sdk.operators.bash",
    "orchestrator.sdk.operators.empty",
    "orchestrator.sdk.operators.python",
)


class Zygote:
    """The loop of the parse zygote: one thread, so that forking is safe."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._buffer = bytearray()
        self._running: dict[int, Running] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._wake_read, self._wake_write = os.pipe()
        for fd in (self._wake_read, self._wake_write):
            os.set_blocking(fd, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until the other side closes the control socket."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who then closes the socket
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            while self._step():
                self._kill_late()
                self._reap()
        finally:
            for running in self._running.values():
                running.kill()

    def _step(self) -> bool:
        """Wait for something and take it; False at the end of the control socket."""
        for key, _ in self._selector.select(self._seconds_to_next_kill()):
            if key.fileobj is self._control:
                if not self._read_control():
                    return False
            elif key.fd == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, CHUNK)
            elif not key.data.read(key.fd):
                self._selector.unregister(key.fd)
        return True

    def _read_control(self) -> bool:
        chunk = self._control.recv(CHUNK)
        self._buffer += chunk
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._start(line)
        return bool(chunk)

    def _start(self, line: bytes) -> None:
        ours = [self._control.fileno(), self._wake_read, self._wake_write, self._selector.fileno()]
        others = [fd for running in self._running.values() for fd in running.fds]
        running = Running(read_request(line), [*ours, *others])
        self._running[running.pid] = running
        for fd in running.fds:
            self._selector.register(fd, selectors.EVENT_READ, running)

    def _reap(self) -> None:
        """Answer for every process that has ended."""
        while self._running:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            running = self._running.pop(pid, None)
            if running is not None:
                for fd in running.fds:
                    with contextlib.suppress(KeyError):
                        self._selector.unregister(fd)
                self._control.sendall(running.finish(status))

    def _kill_late(self) -> None:
        now = time.monotonic()
        for running in self._running.values():
            if running.kill_at is not None and running.kill_at <= now and not running.timed_out:
                running.timed_out = True
                running.kill()

    def _seconds_to_next_kill(self) -> float:
        times = [running.kill_at for running in self._running.values() if running.kill_at is not None and not running.timed_out]
        return max(0.0, min(times) - time.monotonic()) if times else NEVER


def preload() -> None:
    """Import what DAG files import, once for all children, and describe a DAG so that lazy imports are done too."""
    importlib.import_module("orchestrator.sdk.airflow_names").install()
    for name in PRELOADED:
        importlib.import_module(name)
    from orchestrator.sdk.definitions.contexts import reset
    from orchestrator.sdk.definitions.dag import DAG
    from orchestrator.sdk.definitions.operator import BaseOperator
    from orchestrator.sdk.parsing.validation import problems
    from orchestrator.sdk.serialization.encode import encode_dag

    with DAG("warm_up", schedule="@daily") as dag:
        BaseOperator(task_id="task")
    problems(encode_dag(dag))
    reset()


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Parse DAG files for the DAG processor.")
    parser.add_argument("--control-fd", type=int, required=True)
    options = parser.parse_args(arguments)
    control = socket.socket(fileno=options.control_fd)
    os.set_inheritable(options.control_fd, False)
    preload()
    gc.collect()
    gc.freeze()  # pages of imported modules stay shared with the children
    Zygote(control).run()


if __name__ == "__main__":
    main()
