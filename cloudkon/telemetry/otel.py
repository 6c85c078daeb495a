"""Traces to an OpenTelemetry collector, over OTLP/HTTP: where it listens, OTEL_EXPORTER_OTLP_ENDPOINT says.

The ids are those that X-Ray has: a trace may begin in a Lambda that tells X-Ray, and go on here.
"""

import logging
from collections.abc import Iterator
from functools import cache

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from cloudkon.telemetry.tracing import Span, TraceContext, trace_id_for, w3c_id

log = logging.getLogger(__name__)

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_PATIENCE_S = 5.0
"""How long each call to the collector may take, the last one included."""


class OtelTracer:
    """Implements ports.Tracer; a thread of the SDK's own sends what is told, in batches."""

    def __init__(self, stage: str, share: float) -> None:
        self._stage = stage
        self._share = share
        self._processor = BatchSpanProcessor(OTLPSpanExporter(timeout=_PATIENCE_S))
        self._resource = cache(lambda name: Resource({"service.name": f"cloudkon-{stage}-{name}"}))

    def open(self, job: str, event_ms: int) -> str | None:
        return trace_id_for(job, event_ms, self._share, None)

    def wants(self, context: TraceContext | None) -> bool:
        return context is not None and context.sampled

    def tell(self, span: Span) -> None:
        try:
            for each in self._spans(span):
                self._processor.on_end(each)
        except Exception as error:  # noqa: BLE001 (no task may fail for want of its trace)
            log.warning("A trace was not told: %r", error)

    def close(self) -> None:
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    def _spans(self, top: Span) -> Iterator[ReadableSpan]:
        if top.context is None:
            raise ValueError(f"{top.name} has no trace context")
        trace = int(w3c_id(top.context.trace), 16)
        parent = None if top.context.parent is None else _context(trace, top.context.parent, is_remote=True)
        yield from _converted(top, trace, parent, self._resource(top.name), {"stage": self._stage})


def _converted(
    span: Span, trace: int, parent: SpanContext | None, resource: Resource, notes: dict[str, str]
) -> Iterator[ReadableSpan]:
    context = _context(trace, span.id)
    yield ReadableSpan(
        name=span.name,
        context=context,
        parent=parent,
        resource=resource,
        attributes={f"cloudkon.{name}": note for name, note in {**notes, **span.notes}.items()},
        status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR, span.error),
        start_time=round(span.start_s * 1e9),
        end_time=round(span.end_s * 1e9),
    )
    for below in span.below:
        yield from _converted(below, trace, context, resource, {})


def _context(trace: int, span: str, *, is_remote: bool = False) -> SpanContext:
    return SpanContext(trace, int(span, 16), is_remote, _SAMPLED)
