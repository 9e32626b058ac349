"""Decides whether this machine has what it needs: room for logs, the executors, their broker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from orchestrator.config import conf
from orchestrator.doctor.findings import Finding, fail, ok, warn

MB = 1_000_000
WARN_MB, FAIL_MB = 2000, 200


def log_disk() -> Iterator[Finding]:
    """Task logs can be written and have room."""
    folder = Path(conf.get("logging", "base_log_folder"))
    there = next((path for path in (folder, *folder.parents) if path.is_dir()), Path("/"))
    if not os.access(there, os.W_OK):
        yield fail(
            "logs", f"{there} cannot be written", "give this user the right to write there, or set [logging] base_log_folder"
        )
        return
    usage = shutil.disk_usage(there)
    free = usage.free // MB
    text = f"{free} MB of {usage.total // MB} MB are free for {folder}"
    todo = "make room, or shorten the retention of logs"
    if free < FAIL_MB:
        yield fail("logs", text, todo)
    else:
        yield warn("logs", text, todo) if free < WARN_MB else ok("logs", text)


def executors() -> Iterator[Finding]:
    """Every executor of ``[core] executor`` exists, and a broker that one needs answers."""
    from runs.executors.loader import UnknownExecutorError, load_executors

    try:
        found = load_executors()
    except UnknownExecutorError as error:
        yield fail("executors", str(error), "correct [core] executor")
        return
    yield ok("executors", ", ".join(found.by_name))
    if any("Celery" in name for name in found.by_name):
        yield _broker()


def _broker() -> Finding:
    kombu: Any = import_module("kombu")  # only where Celery is used
    timeout = float(conf.get("celery", "operation_timeout"))
    broker = kombu.Connection(conf.get("celery", "broker_url"), connect_timeout=timeout)
    shown = broker.as_uri()  # without the password
    try:
        broker.ensure_connection(max_retries=1, timeout=timeout)
    except Exception as error:
        return fail("broker", f"{shown} cannot be reached: {error}", "check [celery] broker_url and that the broker runs")
    finally:
        broker.release()
    return ok("broker", f"{shown} answers")
