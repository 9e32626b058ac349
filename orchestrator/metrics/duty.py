"""Decides when a process collects and sends its metrics: every few seconds, and never where no option asks for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from orchestrator.config import conf
from orchestrator.kernel import telemetry
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Duty, Result
from orchestrator.kernel.telemetry import Series
from orchestrator.metrics.catalogue import UP_AND_DOWN
from orchestrator.metrics.report import Report, Sink, is_collecting, sinks
from orchestrator.processes.models import Process

# Prometheus reads the counters from the row of this process, so what has a series per task is left out.
_NOT_PUBLISHED = frozenset({"task_id", "dagrun_id", "file_path"})
MOST_PUBLISHED = 5000
V = TypeVar("V")
Gauges = Mapping[Series, float]


@dataclass(frozen=True, slots=True)
class Source:
    """What a process measures. ``own`` counts what is new and returns the gauges of this process alone; ``shared`` returns those
    of the whole platform, where this process is the one that sends them: they are asked for where a system takes them.
    ``close`` is called when the process ends.
    """

    own: Callable[[datetime], Gauges]
    shared: Callable[[datetime], Gauges] = lambda now: {}
    close: Callable[[], None] = lambda: None


def metrics_duty(process_id: Callable[[], UUID | None], source: Callable[[], Source], *, is_asked: bool = False) -> list[Duty]:
    """Return the duty where the configuration asks for metrics, else nothing. Raises ConfigurationError for a wrong option.

    Args:
        process_id: gives the row of this process, None while it has none.
        source: makes what is measured; called where it is needed only.
        is_asked: something else than metrics needs the source to be asked.
    """
    return [SendMetrics(process_id, source(), sinks())] if is_asked or is_collecting() else []


class SendMetrics:
    """Collects, sends, and writes the counters into the row of this process for Prometheus; all outside of transactions."""

    name = "send_metrics"
    periodic = True

    def __init__(self, process_id: Callable[[], UUID | None], source: Source, to: list[Sink]) -> None:
        self._process_id = process_id
        self._source = source
        self._report = Report(to)
        self._has_sinks = bool(to)
        telemetry.collect()

    def run_once(self, limit: int) -> Result:
        """Collect and send."""
        now = utcnow()
        own = self._source.own(now)
        if self._has_sinks:
            telemetry.replace_gauges({**self._source.shared(now), **own}.items())
        self._report.send()
        if conf.get("metrics", "prometheus_on"):
            self._publish(own)
        return Result(next_in=float(conf.get("metrics", "interval_seconds")))

    def close(self) -> None:
        """Send what came together since the last time, and let the systems go."""
        self._source.own(utcnow())
        self._report.close()
        self._source.close()

    def _publish(self, own: Gauges) -> None:
        """Write what Prometheus cannot ask the database for into the row of this process."""
        counters, _, timings = telemetry.snapshot()
        document = {
            "counters": _summed((name, tags, value) for (name, tags), value in counters.items() if name not in UP_AND_DOWN),
            "gauges": _summed((*series, value) for series, value in own.items()),
            "timings": _times(timings),
        }
        process_id = self._process_id()
        if process_id is None:
            return
        row = Process.objects.filter(pk=process_id)
        detail = row.values_list("detail", flat=True).first()
        row.update(detail={**(detail or {}), "metrics": document})


def _key(name: str, tags: telemetry.Tags) -> str:
    return json.dumps([name, [tag for tag in tags if tag[0] not in _NOT_PUBLISHED]])


def _summed(values: Iterable[tuple[str, telemetry.Tags, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, tags, value in values:
        key = _key(name, tags)
        found[key] = found.get(key, 0) + value
    return _most(found)


def _times(timings: Mapping[Series, tuple[int, float, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for (name, tags), (number, total, _) in timings.items():
        before = found.setdefault(_key(name, tags), [0, 0.0])
        before[0] += number
        before[1] += total
    return _most(found)


def _most(found: dict[str, V]) -> dict[str, V]:
    return dict(list(found.items())[:MOST_PUBLISHED])
