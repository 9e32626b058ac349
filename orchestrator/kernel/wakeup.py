"""Decides how a sleeping service is woken: local sockets beside SQLite, NOTIFY on PostgreSQL.

A wake-up only makes work immediate. Who misses one finds the work at the next poll.
"""

import contextlib
import hashlib
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from orchestrator.kernel.listen import PostgresWakeup
from orchestrator.kernel.readiness import Descriptor, readable

__all__ = ["Descriptor", "PostgresWakeup", "SocketWakeup", "Wakeup", "readable", "send"]

# The kernel limits the path of a unix socket to 108 bytes with its final zero.
LONGEST_SOCKET_PATH = 100
SHORT_FOLDER = "/tmp"  # noqa: S108 - the directory inside is made for its owner only


class Wakeup(Protocol):
    """Something to wait for; ``woken`` says whether the last wait saw a wake-up."""

    woken: bool

    def wait(self, timeout: float, fds: Sequence[Descriptor] = ()) -> list[Descriptor]:
        """Wait at most ``timeout`` seconds for a wake-up or a readable descriptor; return the readable ones of ``fds``."""

    def close(self) -> None:
        """Stop listening."""


def socket_directory(directory: str) -> Path:
    """Where the sockets of ``directory`` really are: a hashed name in the temporary folder where the path is too long.

    A temporary folder that is itself too long gives way to ``/tmp``.
    """
    if _is_short(directory):
        return Path(directory)
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    hashed = Path(tempfile.gettempdir()) / f"orchestrator-{os.getuid()}-{digest}"
    return hashed if _is_short(str(hashed)) else Path(SHORT_FOLDER) / hashed.name


def _is_short(directory: str) -> bool:
    return len(os.fsencode(directory)) <= LONGEST_SOCKET_PATH - 32


class SocketWakeup:
    """A datagram socket ``<topic>.<pid>.sock`` in ``directory``; any byte wakes."""

    def __init__(self, directory: str, topic: str) -> None:
        folder = socket_directory(directory)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{topic}.{os.getpid()}.sock"
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.bind(str(self.path))
        self.woken = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def wait(self, timeout: float, fds: Sequence[Descriptor] = ()) -> list[Descriptor]:
        """See ``Wakeup``; all wake-ups that arrived together count as one."""
        ready = readable(timeout, [self, *fds])
        self.woken = self in ready
        if self.woken:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._socket.recv(16)
        return [fd for fd in ready if fd is not self]

    def close(self) -> None:
        """Remove the socket."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def send(directory: str, topic: str) -> int:
    """Wake every receiver of ``topic`` on this machine; returns how many. Sockets of dead processes are removed."""
    woken = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        for path in socket_directory(directory).glob(f"{topic}.*.sock"):
            try:
                sender.sendto(b"1", str(path))
                woken += 1
            except BlockingIOError:
                # Its queue is full, so it is awake already.
                woken += 1
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                continue
    return woken
