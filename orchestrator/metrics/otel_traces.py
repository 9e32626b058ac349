"""Decides how spans go to an OpenTelemetry collector; they are made after the fact, so nothing waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.metrics import otel_place


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    """One span that is over: its ids (128 and 64 bits), the span above it, and what it tells."""

    trace_id: int
    span_id: int
    name: str
    start: datetime
    end: datetime
    is_ok: bool
    parent_id: int | None = None
    attributes: Mapping[str, str | int] = field(default_factory=dict)


class SpanSink:
    """Hands spans to a processor that exports them in a thread of its own."""

    def __init__(self) -> None:
        self._ids, self._provider = _provider()
        self._tracer = self._provider.get_tracer("orchestrator")

    def send(self, span: FinishedSpan) -> None:
        """Hand one span over, unless the sampler of OTEL_TRACES_SAMPLER leaves its trace out."""
        from opentelemetry.trace import Status, StatusCode

        self._ids.next = (span.trace_id, span.span_id)
        made = self._tracer.start_span(
            span.name, context=self._above(span), start_time=_nanoseconds(span.start), attributes=dict(span.attributes)
        )
        made.set_status(Status(StatusCode.OK if span.is_ok else StatusCode.ERROR))
        made.end(end_time=_nanoseconds(span.end))

    def close(self) -> None:
        """Export what is left and end the thread."""
        otel_place.shut_down(self._provider)

    def _above(self, span: FinishedSpan) -> Any:
        """The span above, with the sampler's decision on the whole trace: its own span may be sent later than this one."""
        from opentelemetry import context, trace

        if span.parent_id is None:
            return context.Context()
        decision = self._provider.sampler.should_sample(None, span.trace_id, "dag_run").decision
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if decision.is_sampled() else trace.TraceFlags.DEFAULT)
        above = trace.SpanContext(span.trace_id, span.parent_id, is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(trace.NonRecordingSpan(above), context.Context())


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)


def _provider() -> tuple[Any, Any]:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
        from opentelemetry.sdk.trace.id_generator import IdGenerator
    except ImportError as error:
        raise otel_place.missing("traces", error) from error

    class GivenIds(IdGenerator):
        """Gives the ids of the span that is made now: they come from the run and the attempt, not from chance."""

        next = (0, 0)

        def generate_trace_id(self) -> int:
            return self.next[0]

        def generate_span_id(self) -> int:
            return self.next[1]

    ids = GivenIds()
    provider = TracerProvider(resource=Resource.create(otel_place.service("traces")), id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otel_place.endpoint("traces"))))
    if otel_place.on_console("traces"):
        provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
    return ids, provider
