"""Decides how a server in this process is asked: how often, which times count, and which statements it needed."""

from __future__ import annotations

import statistics
import time
from typing import Any

from django.db import connection
from django.test import Client

Figures = dict[str, Any]


class Queries:
    """Notes each statement with the seconds that it took."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run the statement."""
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seen.append((time.perf_counter() - began, sql))


def asked(client: Client, name: str, url: str, repeat: int) -> tuple[Any, Figures]:
    """Ask once for the answer and its statements, then up to ``repeat`` times (20 s at most) for the times in milliseconds."""
    queries = Queries()
    with connection.execute_wrapper(queries):
        answer = client.get(url)
    if answer.status_code != 200:
        raise RuntimeError(f"{name}: {url} answered {answer.status_code} {answer.content[:200]!r}")
    times = _times(client, url, repeat)
    middle, high = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
    figures = {"name": name, "p50_ms": middle, "p95_ms": high, "queries": len(queries.seen)}
    return answer, figures | {"slowest": max(queries.seen, default=(0, ""))[1]}


def _times(client: Client, url: str, repeat: int) -> list[float]:
    times: list[float] = []
    began = time.monotonic()
    while len(times) < repeat and (len(times) < 5 or time.monotonic() - began < 20):
        start = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - start) * 1000)
    return times
