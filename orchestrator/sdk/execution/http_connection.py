"""Decides how requests reach the API server: over one connection that stays open, with Python's own client.

Nothing is repeated, redirected or sent through a proxy; what an answer means is the caller's to decide.
"""

from __future__ import annotations

import http.client
import select
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(slots=True, frozen=True)
class Reply:
    """What the server answered; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    data: bytes


class HttpConnection:
    """A connection to the server of ``url``, opened with the first request and again after it broke; for one thread.

    Args:
        url: an address that begins with ``http://`` or ``https://``; its path is not used.
        connect_seconds: how long connecting may take.
        read_seconds: how long the server may be silent.
    """

    def __init__(self, url: str, connect_seconds: float, read_seconds: float) -> None:
        self._url = url
        self._connect_seconds, self._read_seconds = connect_seconds, read_seconds
        self._http: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send one request and wait for its answer.

        Raises:
            OSError: no server was there, it went away or was silent for too long, or what it said is not HTTP.
        """
        try:
            connection = self._living()
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        except (http.client.HTTPException, ValueError) as error:
            self.close()
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _living(self) -> http.client.HTTPConnection:
        """The open connection, or a new one where there is none or the server closed it between two requests."""
        if self._http is not None and (self._http.sock is None or _has_news(self._http.sock.fileno())):
            self.close()
        if self._http is None:
            connection = self._new()
            connection.connect()
            connection.sock.settimeout(self._read_seconds)
            self._http = connection
        return self._http

    def _new(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConnectionError(f"{self._url!r} is no address of a server: it must begin with http:// or https://")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname, parts.port, timeout=self._connect_seconds)


def _has_news(descriptor: int) -> bool:
    """Between two requests a server says nothing, unless it hangs up."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
