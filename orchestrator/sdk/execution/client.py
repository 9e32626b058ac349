"""Decides how requests to the Execution API share HTTP requests and connections (group commit).

A request goes out at once when a connection is idle. While all connections are busy, further requests gather and leave
together as one `POST /execution/batch`. Requests of one lane keep their order: a lane is never in two batches at a time.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from orchestrator.kernel.backoff import delay
from orchestrator.sdk.execution.answers import Answer, Patience, must_repeat, retry_after
from orchestrator.sdk.execution.http_connection import HttpConnection

log = logging.getLogger(__name__)

API_VERSION = "2026-06-30"
HEADERS = {"Content-Type": "application/json", "Airflow-API-Version": API_VERSION}
CONNECT_SECONDS = 5.0
MAX_BATCH_REQUESTS = 250
MAX_BATCH_BYTES = 8 * 1024 * 1024
# After a batch of BUSY_BATCH the next one gathers for GATHER_SECONDS, or until it has FULL_BATCH lanes (benchmarks/README.md).
BUSY_BATCH, FULL_BATCH, GATHER_SECONDS = 4, 32, 0.02
RETRY_BASE_SECONDS, RETRY_CAP_SECONDS, RETRY_JITTER = 0.1, 15.0, 0.3


@dataclass(slots=True)
class Credentials:
    """The token of one attempt, replaced whenever the server sends a fresh one."""

    token: str


@dataclass(slots=True, eq=False)
class ApiRequest:
    """One call of the Execution API that waits for its turn, its answer, or its next try; `size` is about its bytes."""

    method: str
    path: str
    body: Any
    credentials: Credentials
    lane: str
    patience: Patience
    on_answer: Callable[[Answer], None]
    size: int = 500
    created: float = field(default_factory=time.monotonic)
    sent: float = 0.0
    failures: int = 0


def _request_document(number: int, request: ApiRequest) -> dict[str, Any]:
    return {
        "id": str(number),
        "method": request.method,
        "path": request.path,
        "token": request.credentials.token,
        "body": request.body,
    }


class BatchClient:
    """A few connections to one API server; answers are handed to the loop of the supervisor.

    Args:
        url: address of the Execution API, such as `http://host:8080/execution/`.
        post: runs a callback in the supervisor's loop; may be called from any thread.
        call_later: runs a callback in the supervisor's loop after some seconds; called in the loop only.
        connections: number of keep-alive connections, one thread each.
        timeout_seconds: how long one HTTP request may take.
    """

    def __init__(
        self,
        url: str,
        post: Callable[[Callable[[], None]], None],
        call_later: Callable[[float, Callable[[], None]], object],
        connections: int = 2,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/") + "/batch"
        self._post = post
        self._call_later = call_later
        self._path = urlsplit(self._url).path
        self._timeout = timeout_seconds
        self._lanes: dict[str, deque[ApiRequest]] = {}
        self._ready: deque[str] = deque()
        self._changed = threading.Condition()
        self._paused_until = 0.0
        self._outages = 0
        self._last_size = 0
        self._stopping = False
        self._single_requests = False
        self._threads = [threading.Thread(target=self._run, name=f"api-{n}", daemon=True) for n in range(connections)]

    def start(self) -> None:
        """Start the threads; before this, requests only gather."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let the threads end; requests that wait are not sent any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def submit(self, request: ApiRequest) -> None:
        """Send the request as soon as a connection is idle; `on_answer` is called in the loop, once."""
        with self._changed:
            waiting = self._lanes.get(request.lane)
            if waiting is not None:
                waiting.append(request)
                return
            self._lanes[request.lane] = deque([request])
            self._ready.append(request.lane)
            self._changed.notify()

    def waiting(self) -> int:
        """Return the number of lanes with requests that have no answer yet."""
        return len(self._lanes)

    def _run(self) -> None:
        connection = HttpConnection(self._url, min(CONNECT_SECONDS, self._timeout), self._timeout)
        while (batch := self._take()) is not None:
            outcome = self._exchange(connection, batch)
            self._post(lambda batch=batch, outcome=outcome: self._settle(batch, outcome))  # type: ignore[misc]

    def _take(self) -> list[ApiRequest] | None:
        with self._changed:
            while not self._stopping:
                pause = self._paused_until - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                elif self._ready:
                    if self._last_size >= BUSY_BATCH:
                        # Many attempts are under way: a few milliseconds make the next batch worth its price.
                        self._changed.wait_for(lambda: len(self._ready) >= FULL_BATCH or self._stopping, GATHER_SECONDS)
                    return self._fill()
                else:
                    self._changed.wait()
        return None

    def _fill(self) -> list[ApiRequest]:
        batch: list[ApiRequest] = []
        room, size = (1 if self._single_requests else MAX_BATCH_REQUESTS), 0
        while self._ready and len(batch) < room and size < MAX_BATCH_BYTES:
            requests = self._lanes[self._ready.popleft()]
            batch.extend(requests)
            size += sum(request.size for request in requests)
            requests.clear()
        self._last_size = len(batch)
        return batch

    def _exchange(self, connection: HttpConnection, batch: list[ApiRequest]) -> list[Answer] | Answer:
        """Return one answer per request, or a single answer when the whole batch met the same fate."""
        sent = time.monotonic()
        for request in batch:
            request.sent = sent
        body = json.dumps({"requests": [_request_document(n, r) for n, r in enumerate(batch)]}, separators=(",", ":"))
        try:
            reply = connection.request("POST", self._path, body.encode(), HEADERS)
        except OSError as error:
            return Answer(0, f"{type(error).__name__}: {error}", {})
        if reply.status != 200:
            return Answer(reply.status, reply.data[:2000].decode("utf-8", "replace"), reply.headers)
        return _answers(reply.data, len(batch))

    def _settle(self, batch: list[ApiRequest], outcome: list[Answer] | Answer) -> None:
        if isinstance(outcome, Answer):
            self._note_outage(outcome, batch)
            answers = [outcome] * len(batch)
        else:
            self._outages, self._paused_until, self._single_requests = 0, 0.0, False
            answers = outcome
        again: dict[str, list[ApiRequest]] = {}
        for request, answer in zip(batch, answers, strict=True):
            again.setdefault(request.lane, [])
            alone = not isinstance(outcome, Answer) or len(batch) == 1
            if must_repeat(answer, request.patience, time.monotonic() - request.created, alone):
                request.failures += 1
                again[request.lane].append(request)
            else:
                self._deliver(request, answer)
        for lane, requests in again.items():
            self._release(lane, requests, answers[0])

    def _note_outage(self, answer: Answer, batch: list[ApiRequest]) -> None:
        if answer.status in (413, 422) and len(batch) > 1:
            self._single_requests = True
            return
        self._outages += 1
        pause = delay(min(self._outages, 12), RETRY_BASE_SECONDS, RETRY_CAP_SECONDS, RETRY_JITTER)
        self._paused_until = time.monotonic() + max(pause, retry_after(answer))
        if self._outages in (1, 10) or self._outages % 100 == 0:
            log.warning("Execution API %s: %s %s (try %d)", self._url, answer.status, str(answer.body)[:300], self._outages)

    def _deliver(self, request: ApiRequest, answer: Answer) -> None:
        fresh = answer.headers.get("refreshed-api-token")
        if fresh:
            request.credentials.token = fresh
        try:
            request.on_answer(answer)
        except Exception:
            log.exception("Could not handle the answer to %s %s", request.method, request.path)

    def _release(self, lane: str, again: list[ApiRequest], answer: Answer) -> None:
        with self._changed:
            self._lanes[lane].extendleft(reversed(again))
        if again:
            seconds = delay(again[0].failures, RETRY_BASE_SECONDS, RETRY_CAP_SECONDS, RETRY_JITTER)
            self._call_later(max(seconds, retry_after(answer)), lambda: self._make_ready(lane))
        else:
            self._make_ready(lane)

    def _make_ready(self, lane: str) -> None:
        with self._changed:
            if self._lanes[lane]:
                self._ready.append(lane)
                self._changed.notify()
            else:
                del self._lanes[lane]


def _answers(data: bytes, count: int) -> list[Answer] | Answer:
    try:
        documents = {document["id"]: document for document in json.loads(data)["responses"]}
        found = [documents[str(number)] for number in range(count)]
        return [Answer(d["status"], d.get("body"), {k.lower(): v for k, v in (d.get("headers") or {}).items()}) for d in found]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Answer(0, f"The answer is not a batch answer ({type(error).__name__}: {error}): {data[:200]!r}", {})
