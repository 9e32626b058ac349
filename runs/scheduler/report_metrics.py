"""Decides what a scheduler measures for metrics: the log of changes and the gauges for all, its own cache for itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dags_app.selectors import specs_cached
from orchestrator.config import conf
from orchestrator.kernel.telemetry import count
from orchestrator.metrics.duty import Gauges, Source
from orchestrator.metrics.otel_traces import SpanSink
from runs.metrics.follow import Follower
from runs.metrics.gauges import gauges
from runs.metrics.spans import Spans


class SchedulerMeasures:
    """Counts what is new in the database where this scheduler leads, and what its cache of DAGs was asked for."""

    def __init__(self, process_id: UUID) -> None:
        self._traces = SpanSink() if conf.get("traces", "otel_on") else None
        self.follower = Follower(process_id, [Spans(self._traces.send)] if self._traces else [])
        self._hits, self._misses = 0, 0

    def source(self) -> Source:
        """Return what the duty of metrics asks."""
        return Source(self._own, self._shared, self._traces.close if self._traces else lambda: None)

    def _own(self, now: datetime) -> Gauges:
        self.follower.follow(now)
        hits, misses, size = specs_cached()
        count("scheduler.dag_bag.cache_hit", hits - self._hits)
        count("scheduler.dag_bag.cache_miss", misses - self._misses)
        self._hits, self._misses = hits, misses
        return {("scheduler.dag_bag.cache_size", ()): float(size), **self.follower.gauges()}

    def _shared(self, now: datetime) -> Gauges:
        return gauges(now) if self.follower.leads else {}
