"""Decides small functions about programs and machines that older DAG files import from ``airflow.utils``."""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

log = logging.getLogger(__name__)

IS_WINDOWS = sys.platform == "win32"


def execute_in_subprocess(cmd: list[str], cwd: str | None = None, env: dict[str, str] | None = None) -> None:
    """Run a program and log what it writes; raises ``CalledProcessError`` unless it exits with 0."""
    execute_in_subprocess_with_kwargs(cmd, cwd=cwd, env=env)


def execute_in_subprocess_with_kwargs(cmd: list[str], **kwargs: Any) -> None:
    """Run a program with arguments of ``Popen``; see ``execute_in_subprocess``."""
    log.info("Executing cmd: %s", shlex.join(cmd))
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "bufsize": 0, "close_fds": True, **kwargs}
    with subprocess.Popen(cmd, **kwargs) as process:
        for line in process.stdout or ():
            log.info("%s", line.decode(errors="backslashreplace").rstrip())
        code = process.wait()
    if code:
        raise subprocess.CalledProcessError(code, cmd)


@contextlib.contextmanager
def patch_environ(new_env_variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the time of a ``with`` block."""
    before = {name: os.environ.get(name) for name in new_env_variables}
    os.environ.update(new_env_variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def getuser() -> str:
    """Return the name of the user of this process."""
    return getpass.getuser()


def is_tty() -> bool:
    """Return whether standard output is a terminal."""
    return bool(getattr(sys.stdout, "isatty", None)) and sys.stdout.isatty()


def getfqdn(name: str = "") -> str:
    """Return the full name of a host, of this one without a name."""
    return socket.getfqdn(name)


def get_hostname() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def get_host_ip_address() -> str:
    """Return the address of this machine."""
    return socket.gethostbyname(getfqdn())
