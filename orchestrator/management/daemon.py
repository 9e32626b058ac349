"""Decides how a service runs in the background: away from the terminal, with files for its pid and its output."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

PRIVATE = 0o077


def add_daemon(parser: ArgumentParser) -> None:
    """Add Airflow's flags for services."""
    parser.add_argument("-D", "--daemon", action="store_true", help="run in the background")
    parser.add_argument("--pid", metavar="FILE", help="write the pid here (with -D: <home>/airflow-<service>.pid)")
    parser.add_argument("--stdout", metavar="FILE", help="with -D: standard output (default: <home>/airflow-<service>.out)")
    parser.add_argument("--stderr", metavar="FILE", help="with -D: standard error (default: <home>/airflow-<service>.err)")
    parser.add_argument("-l", "--log-file", metavar="FILE", help="write the log here instead of to standard output")


def begin(service: str, options: dict[str, Any]) -> None:
    """Do what the flags say, before a service opens anything; with ``-D`` only the process in the background returns.

    Raises ``CommandError`` where the pid file names a process that lives, or a file cannot be written.
    """
    from orchestrator.config import conf

    files = {name: conf.home / f"airflow-{service}.{end}" for name, end in (("pid", "pid"), ("stdout", "out"), ("stderr", "err"))}
    files |= {name: Path(options[name]).absolute() for name in files if options[name]}
    if options["daemon"] or options["pid"]:
        _refuse_second(files["pid"])
    try:
        if options["daemon"]:
            _leave_terminal(files["stdout"], files["stderr"])
        if options["daemon"] or options["pid"]:
            _write_pid(files["pid"])
        if options["log_file"]:
            _log_to(Path(options["log_file"]))
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}") from error


def _refuse_second(file: Path) -> None:
    try:
        pid = int(file.read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
    except PermissionError:
        pass  # it is there, and somebody else's
    raise CommandError(f"{file} names process {pid}, which is alive: stop it first, or give another file with --pid.")


def _leave_terminal(out: Path, err: Path) -> None:
    """Fork twice, so that no terminal can come back; the first process says where the files are and ends."""
    targets = [os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for file in (out, err)]
    sys.stdout.flush()
    if os.fork():
        sys.stdout.write(f"In the background; output: {out}, {err}\n")
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.umask(PRIVATE)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *targets), (0, 1, 2), strict=True):
        os.dup2(source, target)
        os.close(source)


def _write_pid(file: Path) -> None:
    file.write_text(f"{os.getpid()}\n")
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not in what the service forks
            file.unlink(missing_ok=True)

    atexit.register(remove)


def _log_to(file: Path) -> None:
    root = logging.getLogger()
    handler = logging.FileHandler(file)
    if root.handlers:
        handler.setFormatter(root.handlers[0].formatter)
    root.handlers = [handler]
