"""Decides how tasks and custom operators count and time things: by StatsD, where ``[metrics] statsd_on`` says so."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from datetime import timedelta
from typing import Any

__all__ = ["Stats", "decr", "gauge", "incr", "initialize", "normalize_name_for_stats", "timer", "timing"]

_socket: socket.socket | None = None


class Timer:
    """Measures the time of a ``with`` block, or between ``start`` and ``stop``; ``duration`` is in milliseconds."""

    def __init__(self, stat: str | None = None, tags: dict[str, Any] | None = None) -> None:
        self.stat, self.tags = stat, tags
        self.duration: float | None = None

    def start(self) -> Timer:
        """Begin to measure."""
        self._began = time.perf_counter()
        return self

    def stop(self, send: bool = True) -> None:
        """End the measurement, and send it."""
        self.duration = 1000.0 * (time.perf_counter() - self._began)
        if send and self.stat:
            timing(self.stat, self.duration, tags=self.tags)

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.stop()


def incr(stat: str, count: int = 1, rate: float = 1, *, tags: dict[str, Any] | None = None, **_: Any) -> None:
    """Add to a counter."""
    _send(stat, str(count), "c", tags)


def decr(stat: str, count: int = 1, rate: float = 1, *, tags: dict[str, Any] | None = None, **_: Any) -> None:
    """Take from a counter."""
    _send(stat, str(-count), "c", tags)


def gauge(stat: str, value: float, rate: float = 1, delta: bool = False, *, tags: dict[str, Any] | None = None, **_: Any) -> None:
    """Set a value; with ``delta``, change it by so much."""
    _send(stat, f"{value:+g}" if delta else f"{value:g}", "g", tags)


def timing(stat: str, dt: float | timedelta | None, *, tags: dict[str, Any] | None = None, **_: Any) -> None:
    """Send a time, in milliseconds unless it is a ``timedelta``."""
    if dt is not None:
        _send(stat, f"{dt.total_seconds() * 1000 if isinstance(dt, timedelta) else dt:.3f}", "ms", tags)


def timer(stat: str | None = None, *args: Any, tags: dict[str, Any] | None = None, **kwargs: Any) -> Timer:
    """Return what measures a ``with`` block."""
    return Timer(stat, tags)


def initialize(**_: Any) -> None:
    """Do nothing: the settings are read at the first use."""


def normalize_name_for_stats(name: str, log_warning: bool = True) -> str:
    """Return the name with only what a metric's name may have."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "_", name)


def _send(stat: str, value: str, kind: str, tags: dict[str, Any] | None) -> None:
    """Send one line; an unreachable server costs nothing but its metrics."""
    from orchestrator.sdk.configuration import conf

    global _socket
    if not conf.getboolean("metrics", "statsd_on", fallback=False):
        return
    prefix = conf.get("metrics", "statsd_prefix", fallback="airflow")
    line = f"{prefix}.{normalize_name_for_stats(stat)}:{value}|{kind}"
    if tags and conf.getboolean("metrics", "statsd_datadog_enabled", fallback=False):
        line += "|#" + ",".join(f"{name}:{text}" for name, text in tags.items())
    address = (conf.get("metrics", "statsd_host", fallback="localhost"), conf.getint("metrics", "statsd_port", fallback=8125))
    with contextlib.suppress(OSError):
        _socket = _socket or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        _socket.sendto(line.encode(), address)


class Stats:
    """The same functions under the name that operators import."""

    incr = staticmethod(incr)
    decr = staticmethod(decr)
    gauge = staticmethod(gauge)
    timing = staticmethod(timing)
    timer = staticmethod(timer)
    initialize = staticmethod(initialize)
