"""Decides how hosts come into being: forked from one warm process that has imported the SDK but no user code.

The zygote is the new parent of every process below it that loses its own. When the supervisor is gone it kills them all.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys

from orchestrator.kernel.faults import fault_point
from orchestrator.sdk.execution.host.dag_host import DagHost
from orchestrator.sdk.execution.preload import preload
from orchestrator.sdk.execution.rehearsal import rehearse
from orchestrator.sdk.execution.supervisor.processes import adopt_orphans, die_with_parent, kill_descendants
from orchestrator.sdk.execution.wire import Message, receive_packet, send_packet

CHILD_CHECK_MILLISECONDS = 1000


class Zygote:
    """Answers StartHost with HostStarted, and says HostExited when a host has ended."""

    def __init__(self, connection: socket.socket, parent: int) -> None:
        self._connection = connection
        self._parent = parent
        self._hosts: dict[int, int] = {}

    def run(self) -> int:
        """Serve until the supervisor goes away, then kill everything below; return the exit code."""
        zygote = os.getpid()
        adopt_orphans()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.getppid() != self._parent:
            return 1
        preload()
        rehearse()
        gc.collect()
        gc.freeze()
        try:
            self._serve()
        except ConnectionError:
            return 0  # the supervisor died while it was told something
        finally:
            if os.getpid() == zygote:
                kill_descendants(zygote)
        return 0

    def _serve(self) -> None:
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(reading, select.POLLIN)
        while True:
            ready = dict(poll.poll(CHILD_CHECK_MILLISECONDS))
            if reading in ready:
                os.read(reading, 4096)
            self._reap()
            if self._connection.fileno() in ready and not self._serve_one():
                return

    def _serve_one(self) -> bool:
        packet = receive_packet(self._connection)
        if packet is None:
            return False
        message, descriptors = packet
        fault_point("zygote.before_fork")
        pid = os.fork()
        if pid == 0:
            self._become_host(message, descriptors[0])
        for descriptor in descriptors:
            os.close(descriptor)
        fault_point("zygote.after_fork")
        self._hosts[pid] = message["number"]
        send_packet(self._connection, {"type": "HostStarted", "number": message["number"], "pid": pid})
        return True

    def _become_host(self, message: Message, descriptor: int) -> None:
        code = 1
        try:
            parent = os.getppid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._connection.close()
            die_with_parent(parent)
            if message["once"]:
                _execute_once(descriptor, parent)
            code = DagHost(socket.socket(fileno=descriptor)).run()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._hosts.pop(pid, None)
            if number is not None:
                ended = {"type": "HostExited", "number": number, "status": status, "peak_rss_kb": usage.ru_maxrss}
                send_packet(self._connection, ended)


def _execute_once(descriptor: int, parent: int) -> None:
    os.set_inheritable(descriptor, True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    module = "orchestrator.sdk.execution.host"
    arguments = [sys.executable, "-m", module, "--once", "--fd", str(descriptor), "--parent", str(parent)]
    os.execv(sys.executable, arguments)  # noqa: S606  (the interpreter itself, no shell, no input of a user)
