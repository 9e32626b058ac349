"""Decides how a subprocess of a task runs: in its own process group, its output in the log, its last line kept."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.sdk.hooks.base import BaseHook


class SubprocessResult(NamedTuple):
    """Exit code, and the last line of the output."""

    exit_code: int
    output: str


@contextlib.contextmanager
def working_directory(cwd: str | None = None) -> Iterator[str]:
    """Give ``cwd``, or a temporary folder that is removed afterwards."""
    if cwd is not None:
        yield cwd
        return
    with tempfile.TemporaryDirectory(prefix="airflowtmp") as folder:
        yield folder


class SubprocessHook(BaseHook):
    """Runs commands; ``send_sigterm`` ends the running one with everything it started."""

    def __init__(self, **kwargs: str) -> None:
        super().__init__(**kwargs)
        self.sub_process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> logging.Logger:
        """Return the logger of the task."""
        return logging.getLogger("airflow.task.hooks.airflow.providers.standard.hooks.subprocess.SubprocessHook")

    def run_command(
        self, command: list[str], env: dict[str, str] | None = None, output_encoding: str = "utf-8", cwd: str | None = None
    ) -> SubprocessResult:
        """Run ``command`` to its end; each line of output (both streams) is logged.

        :param env: the whole environment; None takes this process's.
        :param cwd: folder; None takes a temporary one.
        """
        self.log.info("Tmp dir root location: %s", tempfile.gettempdir())
        with working_directory(cwd) as folder:
            self.log.info("Running command: %s", command)
            self.sub_process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=env if env is not None else os.environ,
                # Its own group, so that a kill reaches the children; SIGPIPE and the like as a shell expects them.
                start_new_session=True,
                restore_signals=True,
            )
            line = self._log_output(output_encoding)
            code = self.sub_process.wait()
        self.log.info("Command exited with return code %s", code)
        return SubprocessResult(exit_code=code, output=line)

    def _log_output(self, encoding: str) -> str:
        self.log.info("Output:")
        line = ""
        if self.sub_process is None or self.sub_process.stdout is None:
            return line
        with self.sub_process.stdout as stream:
            for raw in iter(stream.readline, b""):
                line = raw.decode(encoding, errors="backslashreplace").rstrip()
                self.log.info("%s", line)
        return line

    def send_sigterm(self) -> None:
        """Send SIGTERM to the process group of the running command."""
        self.log.info("Sending SIGTERM signal to process group")
        if self.sub_process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(os.getpgid(self.sub_process.pid), signal.SIGTERM)
