"""Decides where the collected metrics of a process go, by configuration."""

from __future__ import annotations

from typing import Protocol

from orchestrator.config import conf
from orchestrator.config.option import ConfigurationError
from orchestrator.kernel import telemetry
from orchestrator.kernel.telemetry import Series
from orchestrator.metrics.names import Chosen, chosen
from orchestrator.metrics.statsd import Form, StatsdSink


class Sink(Protocol):
    """A system that takes metrics."""

    def send(self, counters: dict[Series, int], gauges: dict[Series, float], samples: list[tuple[Series, float]]) -> None:
        """Take increments, gauges and single times in seconds."""

    def close(self) -> None:
        """Let it go; within seconds, also where nobody listens."""


def is_collecting() -> bool:
    """Return whether any option asks for metrics."""
    return any(conf.get("metrics", option) for option in ("statsd_on", "otel_on", "prometheus_on"))


def sinks() -> list[Sink]:
    """Make the systems that the configuration names. Raises ConfigurationError for a pattern or package that is not there."""
    names = configured_names()
    made: list[Sink] = []
    if conf.get("metrics", "statsd_on"):
        host, port = str(conf.get("metrics", "statsd_host")), int(conf.get("metrics", "statsd_port"))
        ipv6, older = bool(conf.get("metrics", "statsd_ipv6")), bool(conf.get("metrics", "legacy_names_on"))
        made.append(StatsdSink(host, port, _form(), names, ipv6=ipv6, with_older_names=older))
    if conf.get("metrics", "otel_on"):
        from orchestrator.metrics.otel import OtelSink

        made.append(OtelSink(names))
    return made


def configured_names() -> Chosen:
    """Return which metrics leave."""
    try:
        return chosen(conf.get("metrics", "metrics_allow_list"), conf.get("metrics", "metrics_block_list"))
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


class Report:
    """Sends what is new in ``orchestrator.kernel.telemetry`` since the last time."""

    def __init__(self, to: list[Sink]) -> None:
        self._sinks = to
        self._sent: dict[Series, int] = {}
        if to:
            telemetry.keep_samples()

    def send(self) -> None:
        """Send once; never inside a transaction."""
        counters, gauges, _ = telemetry.snapshot()
        fresh = {series: value - self._sent.get(series, 0) for series, value in counters.items()}
        fresh = {series: value for series, value in fresh.items() if value}
        samples = telemetry.take_samples()
        for sink in self._sinks:
            sink.send(fresh, gauges, samples)
        self._sent = counters

    def close(self) -> None:
        """Send for the last time."""
        self.send()
        for sink in self._sinks:
            sink.close()


def _form() -> Form:
    has_datadog = conf.get("metrics", "statsd_datadog_enabled") and conf.get("metrics", "statsd_datadog_metrics_tags")
    tags = "datadog" if has_datadog else "none"
    tags = "influxdb" if conf.get("metrics", "statsd_influxdb_enabled") else tags
    fixed = [pair.partition(":") for pair in str(conf.get("metrics", "statsd_datadog_tags") or "").split(",") if ":" in pair]
    without = str(conf.get("metrics", "statsd_disabled_tags") or "").split(",")
    return Form(
        prefix=str(conf.get("metrics", "statsd_prefix")),
        tags=tags,
        fixed=tuple((key.strip(), value.strip()) for key, _, value in fixed),
        without=frozenset(name.strip() for name in without),
    )
