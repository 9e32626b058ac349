"""Decides how parts are kept alive and how they all stop."""

import os
import signal
from collections.abc import Sequence
from types import FrameType

from orchestrator.kernel.clock import monotonic
from orchestrator.kernel.readiness import readable
from orchestrator.standalone.linux import adopt_orphans, descendants, kill_all
from orchestrator.standalone.output import Output, PartReader
from orchestrator.standalone.part import Part, describe_exit

# Longest sleep, so that time on a suspended machine is noticed.
LONGEST_WAIT_SECONDS = 60.0
# Parts report to servers while they drain, so servers are stopped last.
SERVER_STOP_SECONDS = 10.0
HURRY_SECONDS = 1.0


class Keeper:
    """Starts parts, prints their output, starts again what dies, stops everything on a signal and leaves no process."""

    def __init__(self, parts: Sequence[Part], output: Output, drain_seconds: float) -> None:
        self.parts = parts
        self._output = output
        self._drain_seconds = drain_seconds
        self._readers: dict[int, PartReader] = {}
        self._signals = 0
        self._pipe_read, self._pipe_write = os.pipe()
        for end in (self._pipe_read, self._pipe_write):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; a second signal stops at once."""
        adopt_orphans()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda number, frame: self._wake())
        for part in self.parts:
            self._start(part)
        while not self._signals and not self._output.is_broken:
            self._wait(self._seconds_to_restart())
            self._reap(restart=True)
            self._start_due()
        self._stop_all()

    def _start(self, part: Part) -> None:
        fd = part.start()
        self._readers[fd] = PartReader(fd, part.name, self._output)

    def _start_due(self) -> None:
        for part in self.parts:
            if part.restart_at is not None and part.restart_at <= monotonic() and not self._signals:
                self._start(part)

    def _seconds_to_restart(self) -> float:
        times = [part.restart_at - monotonic() for part in self.parts if part.restart_at is not None]
        return max(0.0, min([*times, LONGEST_WAIT_SECONDS]))

    def _wait(self, timeout: float) -> None:
        for fd in readable(timeout, [self._pipe_read, *self._readers]):
            if fd == self._pipe_read:
                os.read(self._pipe_read, 4096)
            elif isinstance(fd, int) and not self._readers[fd].read():
                del self._readers[fd]

    def _reap(self, restart: bool) -> None:
        """Collect every ended child, adopted orphans included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            part = next((part for part in self.parts if part.pid == pid), None)
            if part is None:
                continue
            if restart:
                self._say(part.ended(status))
            else:
                part.pid = 0
                if status:
                    self._say(f"{part.name} {describe_exit(status)}")

    def _stop_all(self) -> None:
        self._say("stopping; running tasks may finish, a second signal stops at once")
        workers = [part for part in self.parts if not part.is_server]
        servers = [part for part in self.parts if part.is_server]
        self._stop(workers, self._drain_seconds, with_descendants=True)
        self._stop(servers, SERVER_STOP_SECONDS)
        self._kill_rest()
        self._say("stopped")

    def _stop(self, parts: Sequence[Part], seconds: float, with_descendants: bool = False) -> None:
        """SIGTERM to all of ``parts``; wait for them and what they leave behind until the deadline or a second signal."""
        self._signal_all(parts, signal.SIGTERM)
        deadline = monotonic() + seconds
        is_hurried = False
        while any(part.is_running for part in parts) or (with_descendants and self._orphans()):
            if self._signals > 1 and not is_hurried:
                is_hurried = True
                deadline = min(deadline, monotonic() + HURRY_SECONDS)
                self._signal_all(parts, signal.SIGTERM)
            remaining = deadline - monotonic()
            if remaining <= 0:
                break
            # An adopted orphan's end arrives as SIGCHLD like that of a part.
            self._wait(remaining)
            self._reap(restart=False)
        self._signal_all(parts, signal.SIGKILL)

    def _signal_all(self, parts: Sequence[Part], number: int) -> None:
        for part in parts:
            part.signal(number)

    def _orphans(self) -> list[int]:
        """Processes that ended parts left behind, such as a supervisor whose tasks still run."""
        ours = {part.pid for part in self.parts}
        below_parts = {pid for part in self.parts if part.pid for pid in descendants(part.pid)}
        return [pid for pid in descendants(os.getpid()) if pid not in ours and pid not in below_parts]

    def _kill_rest(self) -> None:
        deadline = monotonic() + HURRY_SECONDS
        while (rest := descendants(os.getpid())) and monotonic() < deadline:
            kill_all(rest)
            self._wait(0.05)
            self._reap(restart=False)
        while self._readers and self._drain_output():
            continue

    def _drain_output(self) -> bool:
        before = len(self._readers)
        self._wait(0.05)
        return len(self._readers) < before

    def _say(self, text: str) -> None:
        self._output.line("standalone", text)

    def _wake(self) -> None:
        try:
            os.write(self._pipe_write, b"w")
        except BlockingIOError:
            return

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        self._wake()
