"""Decides that tests reach no network: connecting to another host fails with a sentence instead of hanging."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any


class NetworkBlockedError(OSError):
    """Code under test wanted to reach the network."""


@contextmanager
def blocked(allowed: Collection[str] = ()) -> Iterator[None]:
    """Refuse connections of this process to other hosts while the block runs; Unix sockets stay open.

    Args:
        allowed: host names and addresses that may be reached, such as ``127.0.0.1`` or ``localhost``.

    Raises ``NetworkBlockedError`` in the code that connects, or that looks a name up.
    """
    before = (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)

    def connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address, allowed)
        before[0](self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address, allowed)
        return before[1](self, address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(socket.AF_INET, (_as_text(host),), allowed)
        return before[2](host, *args, **kwargs)

    _put((connect, connect_ex, getaddrinfo))
    try:
        yield
    finally:
        _put(before)


def _put(functions: tuple[Any, Any, Any]) -> None:
    """Let sockets and the look-up of names use these functions."""
    places: tuple[tuple[Any, str], ...] = ((socket.socket, "connect"), (socket.socket, "connect_ex"), (socket, "getaddrinfo"))
    for (owner, name), function in zip(places, functions, strict=True):
        setattr(owner, name, function)


def _check(family: int, address: Any, allowed: Collection[str]) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return
    host = _as_text(address[0])
    if host in allowed or (_is_loopback(host) and "localhost" in allowed) or host == "":
        return
    raise NetworkBlockedError(
        f"This test wanted to reach {host!r}, and tests reach no network. Replace the call in the test, or allow the host: "
        f"@pytest.mark.allow_network({host!r})."
    )


def _as_text(host: Any) -> str:
    return host.decode() if isinstance(host, bytes) else "" if host is None else str(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
