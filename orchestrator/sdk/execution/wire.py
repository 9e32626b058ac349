"""Decides how supervisor, zygote and hosts talk: one JSON document per packet, with descriptors beside it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]

MAX_PACKET = 160 * 1024
MAX_DESCRIPTORS = 8


def packet_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that keep packets apart."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send_packet(connection: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Send one message and copies of some descriptors.

    Raises:
        OSError: the other side is gone.
    """
    data = json.dumps(message, separators=(",", ":")).encode()
    if descriptors:
        socket.send_fds(connection, [data], list(descriptors))
    else:
        connection.send(data)


def receive_packet(connection: socket.socket) -> tuple[Message, list[int]] | None:
    """Return the next message with its descriptors (not inherited by programs that are started); None at the end.

    Raises:
        BlockingIOError: the socket does not block and has nothing.
    """
    try:
        data, descriptors, _flags, _address = socket.recv_fds(connection, MAX_PACKET, MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return None
    if not data:
        return None
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return json.loads(data), descriptors
