"""Decides how counts and times are collected in memory until somebody reads them."""

import threading
from collections import Counter

Tags = tuple[tuple[str, str], ...]
Series = tuple[str, Tags]

_lock = threading.Lock()
_counters: Counter[Series] = Counter()
_gauges: dict[Series, float] = {}
_timings: dict[Series, tuple[int, float, float]] = {}


def _series(name: str, tags: dict[str, str]) -> Series:
    return name, tuple(sorted(tags.items()))


def count(name: str, value: int = 1, **tags: str) -> None:
    """Add ``value`` to a counter."""
    with _lock:
        _counters[_series(name, tags)] += value


def gauge(name: str, value: float, **tags: str) -> None:
    """Set the present value of a gauge."""
    with _lock:
        _gauges[_series(name, tags)] = value


def timing(name: str, seconds: float, **tags: str) -> None:
    """Add one duration; number, sum and maximum are kept."""
    with _lock:
        number, total, longest = _timings.get(_series(name, tags), (0, 0.0, 0.0))
        _timings[_series(name, tags)] = number + 1, total + seconds, max(longest, seconds)


def snapshot() -> tuple[dict[Series, int], dict[Series, float], dict[Series, tuple[int, float, float]]]:
    """Copies of counters, gauges and timings (number, sum, maximum)."""
    with _lock:
        return dict(_counters), dict(_gauges), dict(_timings)


def reset() -> None:
    """Forget everything; a forked child calls it."""
    with _lock:
        _counters.clear()
        _gauges.clear()
        _timings.clear()
