"""Decides how counts and times are collected in memory until somebody reads them."""

import threading
from collections import Counter, deque
from collections.abc import Iterable
from types import TracebackType

from orchestrator.kernel.clock import monotonic

Tags = tuple[tuple[str, str], ...]
Series = tuple[str, Tags]

_lock = threading.Lock()
_counters: Counter[Series] = Counter()
_gauges: dict[Series, float] = {}
_timings: dict[Series, tuple[int, float, float]] = {}
# Single durations, only where somebody takes them; the oldest go when nobody does.
_samples: deque[tuple[Series, float]] | None = None
MOST_SAMPLES = 50_000
# Whether somebody asked for metrics: what is measured at every step, and not only counted when it happens, asks this first.
_is_on = False
# A name with the ids of every task in its tags could fill the memory: new series beyond this are dropped and counted.
MOST_SERIES = 50_000
DROPPED: Series = ("metrics.series_dropped", ())


def _series(name: str, tags: dict[str, str]) -> Series:
    return name, tuple(sorted(tags.items()))


def count(name: str, value: int = 1, /, **tags: str) -> None:
    """Add ``value`` to a counter."""
    series = _series(name, tags)
    with _lock:
        if series not in _counters and len(_counters) >= MOST_SERIES:
            series = DROPPED
        _counters[series] += value


def gauge(name: str, value: float, **tags: str) -> None:
    """Set the present value of a gauge."""
    with _lock:
        _gauges[_series(name, tags)] = value


def timing(name: str, seconds: float, /, **tags: str) -> None:
    """Add one duration; number, sum and maximum are kept."""
    series = _series(name, tags)
    with _lock:
        if _samples is not None:
            _samples.append((series, seconds))
        if series not in _timings and len(_timings) >= MOST_SERIES:
            _counters[DROPPED] += 1
            return
        number, total, longest = _timings.get(series, (0, 0.0, 0.0))
        _timings[series] = number + 1, total + seconds, max(longest, seconds)


def collect() -> None:
    """Measure from now on what costs a little at every step."""
    global _is_on
    _is_on = True


def is_on() -> bool:
    """Return whether somebody takes what is measured at every step."""
    return _is_on


class stopwatch:
    """Times the block under it, where somebody takes it; elsewhere it looks at no clock. A block that raises is not timed."""

    __slots__ = ("_began", "_name", "_tags")

    def __init__(self, name: str, /, **tags: str) -> None:
        self._name, self._tags = name, tags

    def __enter__(self) -> None:
        self._began = monotonic() if _is_on else 0.0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._began and kind is None:
            timing(self._name, monotonic() - self._began, **self._tags)


def keep_samples() -> None:
    """Keep single durations from now on, for ``take_samples``."""
    global _samples
    with _lock:
        if _samples is None:
            _samples = deque(maxlen=MOST_SAMPLES)


def take_samples() -> list[tuple[Series, float]]:
    """Return the single durations since the last call."""
    with _lock:
        taken = list(_samples or ())
        if _samples is not None:
            _samples.clear()
    return taken


def replace_gauges(values: Iterable[tuple[Series, float]]) -> None:
    """Set these gauges; those that were there and are not named now become 0 once, then are forgotten."""
    fresh = dict(values)
    with _lock:
        gone = {series: 0.0 for series, value in _gauges.items() if value and series not in fresh}
        _gauges.clear()
        _gauges.update(gone | fresh)


def snapshot() -> tuple[dict[Series, int], dict[Series, float], dict[Series, tuple[int, float, float]]]:
    """Copies of counters, gauges and timings (number, sum, maximum)."""
    with _lock:
        return dict(_counters), dict(_gauges), dict(_timings)


def reset() -> None:
    """Forget everything; a forked child calls it."""
    global _is_on
    _is_on = False
    with _lock:
        _counters.clear()
        _gauges.clear()
        _timings.clear()
