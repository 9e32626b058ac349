"""What reaches an OpenTelemetry collector, with the real packages and a receiver of OTLP over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from orchestrator.config import conf
from orchestrator.config.option import ConfigurationError
from orchestrator.metrics import otel_place
from orchestrator.metrics.names import chosen
from orchestrator.metrics.otel import OtelSink
from orchestrator.metrics.otel_traces import FinishedSpan, SpanSink

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
KINDS = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/traces": ExportTraceServiceRequest}


@dataclass
class Collector:
    """What was exported to a port."""

    port: int = 0
    requests: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def service(self) -> str:
        """The name of the sender."""
        _, request = self.requests[0]
        resource = (request.resource_metrics if hasattr(request, "resource_metrics") else request.resource_spans)[0].resource
        return str(next(one.value.string_value for one in resource.attributes if one.key == "service.name"))

    def metrics(self) -> dict[str, Any]:
        """The metrics of all requests by name."""
        scopes = [scope for _, one in self.requests for resource in one.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def spans(self) -> list[Any]:
        """The spans of all requests."""
        scopes = [scope for _, one in self.requests for resource in one.resource_spans for scope in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append((self.path, KINDS[self.path].FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def set_options(section: str, **options: object) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__{section.upper()}__{name.upper()}", str(value))
        conf.reload()

    yield set_options
    monkeypatch.undo()
    conf.reload()


def send_metrics() -> None:
    sink = OtelSink(chosen("", "triggers"))
    sink.send(
        {("ti.finish", (("state", "success"),)): 2, ("triggers.failed", ()): 1, ("dag_processing.processes", ()): 1},
        {("pool.open_slots", (("pool_name", "p"),)): 7.0},
        [(("task.duration", (("dag_id", "d"),)), 0.5), (("task.duration", (("dag_id", "d"),)), 1.5)],
    )
    sink.send({("ti.finish", (("state", "success"),)): 3, ("dag_processing.processes", ()): -1}, {}, [])
    sink.close()


def test_a_collector_gets_counters_gauges_and_times_under_the_prefix(
    collector: Collector, configure: Callable[..., None]
) -> None:
    configure("metrics", otel_host="127.0.0.1", otel_port=collector.port, otel_prefix="af", otel_service="ours")
    send_metrics()
    found = collector.metrics()
    assert set(found) == {"af.ti.finish", "af.dag_processing.processes", "af.pool.open_slots", "af.task.duration"}
    finished = found["af.ti.finish"].sum
    assert (finished.is_monotonic, finished.data_points[0].as_int) == (True, 5)
    assert finished.data_points[0].attributes[0].value.string_value == "success"
    assert (
        found["af.dag_processing.processes"].sum.is_monotonic,
        found["af.pool.open_slots"].gauge.data_points[0].as_double,
    ) == (
        False,
        7.0,
    )
    times = found["af.task.duration"]
    assert (times.unit, times.exponential_histogram.data_points[0].count, times.exponential_histogram.data_points[0].sum) == (
        "ms",
        2,
        2000.0,
    )
    assert collector.service == "ours"


def test_the_standard_variables_come_before_airflows_options(
    collector: Collector, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("metrics", otel_host="nowhere.invalid", otel_service="ours")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    send_metrics()
    assert "airflow.ti.finish" in collector.metrics()
    assert collector.service == "theirs"


def test_a_collector_gets_finished_spans_with_their_ids_and_moments(collector: Collector, configure: Callable[..., None]) -> None:
    configure("traces", otel_host="127.0.0.1", otel_port=collector.port)
    sink = SpanSink()
    end = START + timedelta(seconds=2)
    sink.send(FinishedSpan(7, 8, "task_run.t", START, end, False, parent_id=9, attributes={"airflow.task_id": "t"}))
    sink.send(FinishedSpan(7, 9, "dag_run.d", START, end, True))
    sink.close()
    task, run = collector.spans()
    assert (int.from_bytes(task.trace_id), int.from_bytes(task.span_id), int.from_bytes(task.parent_span_id)) == (7, 8, 9)
    assert (int.from_bytes(run.trace_id), int.from_bytes(run.span_id), run.parent_span_id) == (7, 9, b"")
    assert (run.end_time_unix_nano - run.start_time_unix_nano, task.attributes[0].value.string_value) == (2_000_000_000, "t")
    assert (run.status.code, task.status.code) == (1, 2)


def test_a_trace_that_the_sampler_leaves_out_is_left_out_whole(
    collector: Collector, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    configure("traces", otel_host="127.0.0.1", otel_port=collector.port)
    sink = SpanSink()
    for trace_id in (2**63 - 1, 2**64 - 1):  # the lower half is in, the upper half out
        sink.send(FinishedSpan(trace_id, 8, "task_run.t", START, START, True, parent_id=9))
        sink.send(FinishedSpan(trace_id, 9, "dag_run.d", START, START, True))
    sink.close()
    assert [int.from_bytes(span.trace_id) for span in collector.spans()] == [2**63 - 1] * 2


def test_another_protocol_than_http_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'grpc'.*http/protobuf"):
        otel_place.endpoint("metrics", {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"})


def test_an_address_of_ipv6_stands_in_brackets(configure: Callable[..., None]) -> None:
    configure("metrics", otel_host="::1", otel_port=4318, otel_ssl_active="True")
    assert otel_place.endpoint("metrics", {}) == "https://[::1]:4318/v1/metrics"
