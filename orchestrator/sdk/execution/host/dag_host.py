"""Decides how one DAG file is imported once and then forked for each of its attempts."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import threading
from datetime import timedelta
from typing import Any

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.execution.host.loading import LoadError, load_dags, load_plugins, path_of, prepare_import_paths
from orchestrator.sdk.execution.host.task_process import become_task
from orchestrator.sdk.execution.preload import warm
from orchestrator.sdk.execution.wire import Message, receive_packet, send_packet
from orchestrator.sdk.policies import import_timeout


class DagHost:
    """Gets Load, then Attempt after Attempt; tells Loaded or LoadFailed, Forked, Exited."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._children: dict[int, tuple[int, str]] = {}
        self._dags: dict[str, Any] = {}
        self._stopping = False

    def run(self) -> int:
        """Serve until told to stop and every child has ended; return the exit code."""
        packet = receive_packet(self._connection)
        if packet is None or not self._load(*packet):
            return 1
        while not self._stopping or self._children:
            for fd, _events in self._poll.poll():
                if fd in self._children:
                    self._reap(fd)
                elif not self._serve_one():
                    return 0
        return 0

    def _load(self, message: Message, descriptors: list[int]) -> bool:
        """Import the file with its output going to the given descriptor."""
        _send_output_to(descriptors[0])
        fault_point("host.before_import")
        prepare_import_paths(message["paths"])
        try:
            path = path_of(message)
            load_plugins(message)
            self._tell_limit(path)
            self._dags = load_dags(path)
        except LoadError as error:
            send_packet(self._connection, {"type": "LoadFailed", "error": str(error)[-60_000:], "cause": error.cause})
            return False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._warm()
        gc.collect()
        gc.freeze()
        fault_point("host.after_import")
        send_packet(self._connection, {"type": "Loaded", "threads": has_threads(), "dag_ids": sorted(self._dags)[:50]})
        return True

    def _tell_limit(self, path: str) -> None:
        """Let the supervisor wait longer, or less, for this file where a cluster policy says so."""
        try:
            limit = import_timeout(path, -1.0)
        except Exception:
            limit = -1.0  # the parse process says what is wrong with the policy
        if limit >= 0:
            send_packet(self._connection, {"type": "ImportLimit", "seconds": limit})

    def _warm(self) -> None:
        """Compile the templates here, once; a DAG that cannot be warmed says so when it runs."""
        for dag in self._dags.values():
            with contextlib.suppress(Exception):
                warm(dag)

    def _serve_one(self) -> bool:
        packet = receive_packet(self._connection)
        if packet is None:
            return False
        message, descriptors = packet
        if message["type"] == "Attempt":
            self._fork(message, descriptors)
        else:
            self._stopping = True
        return True

    def _fork(self, message: Message, descriptors: list[int]) -> None:
        fault_point("host.before_fork")
        ti_id, parent = message["ti_id"], os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            _close_all(descriptors)
            send_packet(self._connection, {"type": "ForkFailed", "ti_id": ti_id, "error": str(error)})
            return
        if pid == 0:
            self._connection.close()
            become_task(self._dags, message, descriptors, parent)
        fault_point("host.after_fork")
        _close_all(descriptors)
        handle = os.pidfd_open(pid)
        self._children[handle] = (pid, ti_id)
        self._poll.register(handle, select.POLLIN)
        limit = execution_timeout(self._dags, message)
        send_packet(self._connection, {"type": "Forked", "ti_id": ti_id, "pid": pid, "execution_timeout": limit})
        fault_point("host.after_forked")

    def _reap(self, handle: int) -> None:
        fault_point("host.before_reap")
        pid, ti_id = self._children.pop(handle)
        self._poll.unregister(handle)
        os.close(handle)
        _pid, status, usage = os.wait4(pid, 0)
        ended = {"type": "Exited", "ti_id": ti_id, "status": status, "peak_rss_kb": usage.ru_maxrss}
        fault_point("host.after_reap")
        send_packet(self._connection, ended)
        fault_point("host.after_exited")


def has_threads() -> bool:
    """Return whether a fork of this process would lose threads that Python code started.

    Threads that libraries in C start on their own (numpy's, say) are not counted: those libraries handle forks.
    """
    return threading.active_count() > 1


def execution_timeout(dags: dict[str, Any], message: Message) -> float | None:
    """Return the task's own limit in seconds, so that the supervisor can enforce it from outside."""
    try:
        limit = dags[message["dag_id"]].task_dict[message["task_id"]].execution_timeout
    except (KeyError, AttributeError):
        return None
    return limit.total_seconds() if isinstance(limit, timedelta) else None


def _send_output_to(descriptor: int) -> None:
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
