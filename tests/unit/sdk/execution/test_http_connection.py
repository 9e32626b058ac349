"""One connection to the API server: it stays open, and what breaks is an error of the system (C11)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.sdk.execution.http_connection import HttpConnection

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRefreshed-API-Token: t\r\n\r\n{}"


class Server:
    """Answers each connection with the next list of texts, one text a request, then closes it."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/execution/batch"
        self.closed = [threading.Event() for _ in connections]
        self.seen: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, args=(connections,), daemon=True)
        self._thread.start()

    def _serve(self, connections: tuple[list[bytes], ...]) -> None:
        for answers, closed in zip(connections, self.closed, strict=True):
            peer, _ = self.listener.accept()
            for answer in answers:
                self.seen.append(peer.recv(65536))
                peer.sendall(answer)
            peer.close()
            closed.set()

    def close(self) -> None:
        self._thread.join(60)
        self.listener.close()


@contextmanager
def serving(*connections: list[bytes]) -> Iterator[Server]:
    server = Server(*connections)
    yield server
    server.close()


def test_two_requests_share_a_connection_and_a_third_gets_a_new_one_when_the_server_hung_up() -> None:
    with serving([GOOD, GOOD], [GOOD]) as server:
        connection = HttpConnection(server.url, 60, 60)
        for _ in range(2):
            reply = connection.request("GET", "/x", None, {"A": "b"})
            assert (reply.status, reply.data, reply.headers["refreshed-api-token"]) == (200, b"{}", "t")
        assert server.closed[0].wait(60)
        assert connection.request("GET", "/x", None, {}).status == 200
        connection.close()


@pytest.mark.parametrize("answer", [b"", b"220 mail ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_what_is_no_whole_answer_is_an_error_of_the_system_and_the_next_request_connects_anew(answer: bytes) -> None:
    with serving([answer], [GOOD]) as server:
        connection = HttpConnection(server.url, 60, 60)
        with pytest.raises(OSError, match=r"."):
            connection.request("GET", "/x", None, {})
        assert connection.request("GET", "/x", None, {}).status == 200
        connection.close()


def test_a_redirection_is_not_followed() -> None:
    """A token would go to somebody else."""
    with serving([b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"]) as server:
        connection = HttpConnection(server.url, 60, 60)
        assert connection.request("GET", "/x", None, {}).status == 302
        connection.close()


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://host/", "http://", "http://host:port/"])
def test_an_address_that_is_none_says_so(url: str) -> None:
    with pytest.raises(OSError, match=r"http|port"):
        HttpConnection(url, 5, 5).request("GET", "/x", None, {})
