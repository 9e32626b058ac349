"""Decides how one part is forked, what its end means and when it starts again."""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.kernel.backoff import delay
from orchestrator.kernel.clock import monotonic
from orchestrator.standalone.linux import die_with_parent, name_process

# A part that ran this long was healthy: its earlier failures no longer count.
HEALTHY_SECONDS = 60.0
RESTART_BASE_SECONDS = 1.0
RESTART_CAP_SECONDS = 60.0


@dataclass
class Part:
    """One process of the platform, forked from the parent that imported everything once."""

    name: str
    run: Callable[[], object]
    # Servers are stopped after the parts that still report to them.
    is_server: bool = False
    pid: int = 0
    restarts: int = 0
    failures: int = 0
    started_at: float = 0.0
    restart_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self.pid != 0

    def start(self) -> int:
        """Fork and run; returns the descriptor from which the part's output can be read."""
        sys.stdout.flush()
        sys.stderr.flush()
        read_end, write_end = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            run_child(self.name, self.run, write_end, parent)
        os.close(write_end)
        self.pid, self.started_at, self.restart_at = pid, monotonic(), None
        return read_end

    def signal(self, number: int) -> None:
        """Send a signal where it runs; the process is not reaped yet, so the id is its own."""
        if self.pid:
            os.kill(self.pid, number)

    def ended(self, status: int) -> str:
        """Note the end and plan the next start; returns the sentence for the log."""
        ran = monotonic() - self.started_at
        self.failures = 1 if ran > HEALTHY_SECONDS else self.failures + 1
        self.pid = 0
        self.restarts += 1
        pause = delay(self.failures, RESTART_BASE_SECONDS, RESTART_CAP_SECONDS)
        self.restart_at = monotonic() + pause
        times = "once" if self.restarts == 1 else f"{self.restarts} times"
        return f"{self.name} {describe_exit(status)} after {ran:.0f} s; starting again in {pause:.0f} s (restarted {times})"


def describe_exit(status: int) -> str:
    """``ended with exit code 1`` or ``was ended by SIGKILL`` for a status of ``waitpid``."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def run_child(name: str, run: Callable[[], object], write_end: int, parent: int) -> None:
    """The forked side: own process group, output into the pipe, default signals, then ``run``; never returns."""
    code = 1
    try:
        # Its own group: Ctrl-C on the terminal reaches the parent only, which then stops all parts in order.
        os.setpgid(0, 0)
        die_with_parent(parent)
        name_process(name)
        _redirect(write_end)
        _reset_signals()
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException as error:
        is_plain = type(error).__name__ in ("CommandError", "ConfigurationError", "KeyboardInterrupt")
        sys.stderr.write(f"Error: {error}\n" if is_plain else traceback.format_exc())
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(write_end: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(write_end, 1)
    os.dup2(write_end, 2)
    os.close(nothing)
    os.close(write_end)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
