"""Decides how metrics go to an OpenTelemetry collector; the packages are the operator's choice."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.config import conf
from orchestrator.kernel.telemetry import Series
from orchestrator.metrics import otel_place
from orchestrator.metrics.catalogue import UP_AND_DOWN
from orchestrator.metrics.names import Chosen


class OtelSink:
    """Feeds an OpenTelemetry meter, which exports in a thread of its own every ``[metrics] otel_interval_milliseconds``."""

    def __init__(self, names: Chosen) -> None:
        self.names = names
        self._provider = _provider()
        self._meter = self._provider.get_meter("orchestrator")
        self._prefix = str(conf.get("metrics", "otel_prefix"))
        self._made: dict[str, Any] = {}

    def send(
        self, counters: Mapping[Series, int], gauges: Mapping[Series, float], samples: Sequence[tuple[Series, float]]
    ) -> None:
        """Hand over what came together since the last time; times in milliseconds, as Airflow's."""
        for (name, tags), value in counters.items():
            if name in self.names:
                make = "create_up_down_counter" if name in UP_AND_DOWN else "create_counter"
                self._instrument(make, name).add(value, dict(tags))
        for (name, tags), level in gauges.items():
            if name in self.names:
                self._instrument("create_gauge", name).set(level, dict(tags))
        for (name, tags), seconds in samples:
            if name in self.names:
                self._instrument("create_histogram", name, unit="ms").record(seconds * 1000, dict(tags))

    def close(self) -> None:
        """Export what is left and end the thread."""
        otel_place.shut_down(self._provider)

    def _instrument(self, make: str, name: str, **options: str) -> Any:
        if name not in self._made:
            self._made[name] = getattr(self._meter, make)(f"{self._prefix}.{name}" if self._prefix else name, **options)
        return self._made[name]


def _provider() -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import Histogram, MeterProvider
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
        from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
        from opentelemetry.sdk.resources import Resource
    except ImportError as error:
        raise otel_place.missing("metrics", error) from error
    # The variable is read by the reader itself where it is set.
    every = None if os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") else int(conf.get("metrics", "otel_interval_milliseconds"))
    exporters: list[Any] = [OTLPMetricExporter(endpoint=otel_place.endpoint("metrics"))]
    if otel_place.on_console("metrics"):
        exporters.append(ConsoleMetricExporter())
    return MeterProvider(
        resource=Resource.create(otel_place.service("metrics")),
        metric_readers=[PeriodicExportingMetricReader(one, export_interval_millis=every) for one in exporters],
        # Tasks take milliseconds or hours: buckets that follow what is seen, as in Airflow.
        shutdown_on_exit=False,
        views=[View(instrument_type=Histogram, aggregation=ExponentialBucketHistogramAggregation())],
    )
