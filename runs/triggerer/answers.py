"""Decides what a trigger may ask while it waits, and who answers: the vault at once, everything else the Execution API."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from orchestrator.kernel.backoff import delay
from orchestrator.sdk.execution.answers import Answer
from orchestrator.sdk.execution.client import CONNECT_SECONDS, HEADERS
from orchestrator.sdk.execution.http_connection import HttpConnection
from orchestrator.sdk.execution.supervisor.routes import ROUTES, error, failure
from runs.executors.supervisor_environment import execution_api_url
from runs.triggerer.lane import Lane, Message
from runs.triggerer.trigger_logs import TriggerLogs
from runs.triggerer.waits import Wait
from runs.workload_tokens import issue_execution_token
from vault.selectors import connection_find, variable_find

log = logging.getLogger(__name__)

THREADS = 4
TRIES = 6
TIMEOUT_SECONDS = 30.0


class Answers:
    """Answers the questions of triggers; the runners hold no token, so no trigger can speak for another's task."""

    def __init__(self, logs: TriggerLogs) -> None:
        self.logs = logs
        self.descriptor, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._threads: ThreadPoolExecutor | None = None
        self._of_thread = threading.local()
        self._ready: queue.SimpleQueue[tuple[Lane, int, Message]] = queue.SimpleQueue()

    def take(self, message: Message, wait: Wait | None) -> None:
        """Take one message of a trigger in; the answer follows at once or when the Execution API has given it."""
        body, lane = message["body"], message["lane"]
        if body["type"] == "MaskSecret":
            self.logs.masker.add(body["value"], body.get("name"))
        elif message["type"] == "Ask":
            found = _from_vault(body)
            if found is not None:
                self.logs.masker.learn(found)
            if found is not None or wait is None:
                lane.send(_answer(message["number"], found or error("GENERIC_ERROR", message="This trigger has no task")))
            else:
                self._ask_api(lane, message["number"], body, wait)

    def deliver(self) -> bool:
        """Send the answers that have come; no duty has to run for it."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 4096)
        while not self._ready.empty():
            lane, number, body = self._ready.get()
            if not lane.is_gone:
                lane.send(_answer(number, body))
        return False

    def close(self) -> None:
        """Give up what is still asked."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        os.close(self.descriptor)

    def _ask_api(self, lane: Lane, number: int, body: Message, wait: Wait) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="trigger-answers")
        token = issue_execution_token(wait.ti_id, wait.dispatch_id)
        self._threads.submit(self._work, lane, number, body, str(wait.ti_id), token)

    def _work(self, lane: Lane, number: int, body: Message, ti_id: str, token: str) -> None:
        try:
            found = self._from_api(body, ti_id, token)
        except Exception as problem:
            log.exception("a trigger's %s failed", body.get("type"))
            found = error("API_SERVER_ERROR", message=str(problem))
        self._ready.put((lane, number, found))
        os.write(self._wake, b"a")

    def _from_api(self, body: Message, ti_id: str, token: str) -> Message:
        route = ROUTES.get(body["type"])
        if route is None:
            return error("GENERIC_ERROR", message=f"A trigger cannot ask for {body['type']}")
        content = route.body(body)
        for attempt in range(1, TRIES + 1):
            answer = self._request(route.method, route.address(ti_id, body), content, token)
            if 0 < answer.status < 500 and answer.status not in (401, 429):
                break
            time.sleep(delay(attempt, base=0.2, cap=5.0))
        if answer.ok:
            return route.result(body, answer)
        return route.missing(body) if answer.status == 404 and route.missing else failure(answer)

    def _request(self, method: str, path: str, content: Any, token: str) -> Answer:
        data = None if content is None and method in ("GET", "HEAD", "DELETE") else json.dumps(content).encode()
        headers = HEADERS | {"Authorization": f"Bearer {token}"}
        try:
            reply = self._connection().request(method, f"{urlsplit(execution_api_url()).path.rstrip('/')}/{path}", data, headers)
        except OSError as problem:
            return Answer(0, str(problem), {})
        try:
            return Answer(reply.status, json.loads(reply.data) if reply.data else None, reply.headers)
        except ValueError:
            return Answer(0 if reply.status < 400 else reply.status, reply.data[:200].decode(errors="replace"), reply.headers)

    def _connection(self) -> HttpConnection:
        """The connection of this thread."""
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = HttpConnection(execution_api_url(), CONNECT_SECONDS, TIMEOUT_SECONDS)
        found: HttpConnection = self._of_thread.connection
        return found


def _answer(number: int, body: Message) -> Message:
    return {"type": "Answer", "number": number, "body": body}


def _from_vault(body: Message) -> Message | None:
    """Return a connection or variable, or why there is none; None for another question."""
    try:
        if body["type"] == "GetConnection":
            connection = connection_find(body["conn_id"])
            if connection is None:
                return error("CONNECTION_NOT_FOUND", conn_id=body["conn_id"])
            return {"type": "ConnectionResult", **asdict(connection)}
        if body["type"] == "GetVariable":
            value = variable_find(body["key"])
            return error("VARIABLE_NOT_FOUND", key=body["key"]) if value is None else _variable(body["key"], value)
    except ValueError as problem:  # undecryptable, or no connection at all
        return error("GENERIC_ERROR", message=str(problem))
    return None


def _variable(key: str, value: str) -> Message:
    return {"type": "VariableResult", "key": key, "value": value}
