"""Decides how tests receive what alerts send: a mail server and a web address in this process, each on a free port."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import wait_until


@dataclass
class Mailbox:
    """Messages with their recipients, as they came; ``refuse`` greets that many callers with an error first."""

    port: int = 0
    messages: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refuse: int = 0

    def wait(self, number: int, timeout: float = 40.0) -> list[tuple[list[str], EmailMessage]]:
        """Wait until that many messages are there."""
        wait_until(lambda: len(self.messages) >= number, timeout, what=f"{number} mails, there are {len(self.messages)}")
        return self.messages


class _Smtp(socketserver.StreamRequestHandler):
    """The few words of SMTP that a client without encryption says."""

    def handle(self) -> None:
        """Serve one connection."""
        box: Mailbox = self.server.box  # type: ignore[attr-defined]
        if box.refuse > 0:
            box.refuse -= 1
            self._say("421 not now")
            return
        self._say("220 test")
        recipients: list[str] = []
        while line := self.rfile.readline():
            word = line.strip().decode().upper()
            if word.startswith("RCPT TO:"):
                recipients.append(line.strip().decode()[8:].split()[0].strip("<>"))
            if word.startswith("DATA"):
                self._say("354 go on")
                box.messages.append((recipients, self._message()))
                recipients = []
            if word.startswith("QUIT"):
                self._say("221 bye")
                return
            self._say("250 ok")

    def _message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        found = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Give a mail server on a free port."""
    box = Mailbox()
    with _Server(("127.0.0.1", 0), _Smtp) as server:
        server.box = box  # type: ignore[attr-defined]
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()


@dataclass
class Hook:
    """Documents that were posted; ``refuse`` answers that many with 500 first."""

    url: str = ""
    documents: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    refuse: int = 0

    def wait(self, number: int, timeout: float = 40.0) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
        """Wait until that many documents are there."""
        wait_until(lambda: len(self.documents) >= number, timeout, what=f"{number} posts, there are {len(self.documents)}")
        return self.documents


@contextmanager
def web_hook() -> Iterator[Hook]:
    """Give a web address on a free port that keeps what is posted."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.refuse > 0:
                hook.refuse -= 1
                self._answer(500, b"not now")
                return
            hook.documents.append((self.path, json.loads(body), dict(self.headers)))
            self._answer(200, b'{"ok": true}')

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hook.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
