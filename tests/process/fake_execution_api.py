"""An Execution API for tests: a threaded HTTP server that speaks `POST /execution/batch` and keeps what it was told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.postgres import free_port

RUN_CONTEXT = {
    "dag_run": {
        "dag_id": "d",
        "run_id": "r",
        "logical_date": "2026-01-01T00:00:00Z",
        "data_interval_start": None,
        "data_interval_end": None,
        "run_after": "2026-01-01T00:00:00Z",
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": None,
        "run_type": "manual",
        "state": "running",
        "consumed_asset_events": [],
        "partition_key": None,
    },
    "max_tries": 0,
    "should_retry": False,
    "task_reschedule_count": 0,
}
Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class FakeExecutionApi:
    """Answers with `rules` first (method and path → reply), then as a healthy server would."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.batches = 0
        self.states: dict[str, dict[str, Any]] = {}
        self.running: dict[str, dict[str, Any]] = {}
        self.xcoms: dict[str, Any] = {}
        self.rules: list[Callable[[dict[str, Any]], Reply | None]] = []
        self.whole_batch: Callable[[], tuple[int, bytes] | str | None] = lambda: None
        self.changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self.port = free_port()  # kept while the server is away
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/execution/"

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.drop_connections()
            self._server = None

    def wait_for(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        with self.changed:
            assert self.changed.wait_for(condition, seconds), f"It did not happen; the API saw {self.seen()}"
            return condition()

    def state_of(self, ti_id: str, seconds: float = 60) -> dict[str, Any]:
        return self.wait_for(lambda: self.states.get(ti_id), seconds)

    def seen(self) -> list[str]:
        return [f"{request['method']} {request['path']}" for request in self.requests]

    def answer(self, request: dict[str, Any]) -> Reply:
        for rule in self.rules:
            reply = rule(request)
            if reply is not None:
                return reply
        method, path, body = request["method"], request["path"], request["body"]
        parts = path.split("?")[0].split("/")
        if path.endswith("/run"):
            self.running[parts[1]] = body
            return 200, RUN_CONTEXT, {"Refreshed-API-Token": f"execution-{parts[1]}"}
        if path.endswith("/state") and method == "PATCH":
            self.states[parts[1]] = body
            return 204, None
        if parts[0] == "xcoms":
            return self._xcom(method, unquote(parts[-1]), body)
        return 204, None

    def _xcom(self, method: str, key: str, body: Any) -> Reply:
        if method == "POST":
            self.xcoms[key] = body
            return 201, {"message": "ok"}
        return (200, {"key": key, "value": self.xcoms[key]}) if key in self.xcoms else (404, {"detail": "none"})

    def answer_batch(self, document: dict[str, Any]) -> dict[str, Any]:
        responses = []
        with self.changed:
            self.batches += 1
            for request in document["requests"]:
                reply = self.answer(request)
                self.requests.append(request)
                headers = reply[2] if len(reply) == 3 else {}
                responses.append({"id": request["id"], "status": reply[0], "body": reply[1], "headers": headers})
            self.changed.notify_all()
        return {"responses": responses}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        self.connections: set[Any] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def drop_connections(self) -> None:
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(2)
            connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


class _Handler(BaseHTTPRequestHandler):
    api: FakeExecutionApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        whole = self.api.whole_batch()
        if whole == "close":
            self.close_connection = True
            self.connection.shutdown(2)
            return
        status, payload = (
            whole if isinstance(whole, tuple) else (200, json.dumps(self.api.answer_batch(json.loads(data))).encode())
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_args: Any) -> None:
        return
