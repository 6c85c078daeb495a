"""Traces to X-Ray: segment documents, sent to the daemon that listens on this machine.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

The SDK's recorder and its context, which is one a thread, are left alone: a bundle passes through many threads.
"""

import logging
import re
from collections.abc import Callable
from typing import Any

from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment

from cloudkon.errors import TaskFailedError
from cloudkon.telemetry.tracing import Span, TraceContext, trace_id_for

log = logging.getLogger(__name__)

_MAX_DOCUMENT_CHARACTERS = 60_000
"""A document has at most 64 KB, and a datagram too; it is ASCII."""
_NO_NAME = re.compile(r"[^\w\s.:/%&#=+\\@-]")
_MAX_NAME_CHARACTERS = 200
_MAX_SAID_CHARACTERS = 500


class _Emitter(UDPEmitter):  # type: ignore[misc]  # the SDK ships no type information
    """Sends documents to where AWS_XRAY_DAEMON_ADDRESS says, and waits for nothing."""

    def close(self) -> None:
        self._socket.close()


class XRayTracer:
    """Implements ports.Tracer; safe to share between threads, as a socket of datagrams is."""

    def __init__(self, stage: str, share: float, around: Callable[[], TraceContext | None] = lambda: None) -> None:
        self._stage = stage
        self._share = share
        self._around = around
        self._emitter = _Emitter()

    def open(self, job: str, event_ms: int) -> str | None:
        return trace_id_for(job, event_ms, self._share, self._around())

    def wants(self, context: TraceContext | None) -> bool:
        return context is not None and context.sampled

    def tell(self, span: Span) -> None:
        try:
            self._send(self._top(span), span)
        except Exception as error:  # noqa: BLE001 (no task may fail for want of its trace)
            log.warning("A trace was not told: %r", error)

    def close(self) -> None:
        self._emitter.close()

    def _top(self, span: Span) -> Any:
        """A segment of its own, or a part of Lambda's if its trace is the job's."""
        if span.context is None:
            raise ValueError(f"{span.name} has no trace context")
        trace, parent, around = span.context.trace, span.context.parent, self._around()
        if parent is None and around is not None and around.trace == trace and around.sampled and around.parent:
            entity = Subsegment(span.name, None, Segment("lambda", around.parent, trace))
            entity.parent_id = around.parent
        else:
            entity = Segment(_name(f"cloudkon-{self._stage}-{span.name}"), None, trace, parent)
        for name, note in {"stage": self._stage, **span.notes}.items():
            entity.put_annotation(name, note)
        return _timed(entity, span)

    def _send(self, entity: Any, span: Span) -> None:
        """Send a span with all below it, in one document if it fits, else in one each."""
        entity.subsegments = [_within(entity, below) for below in span.below]
        if span.below and len(entity.serialize()) > _MAX_DOCUMENT_CHARACTERS:
            entity.subsegments = []
            for below in span.below:
                alone = _timed(Subsegment(_name(below.name), None, entity), below)
                alone.parent_id = entity.id
                self._send(alone, below)
        self._emitter.send_entity(entity)


def _within(parent: Any, span: Span) -> Any:
    """A subsegment inside of its parent's document, which says where it belongs."""
    entity = _timed(Subsegment(_name(span.name), None, parent), span)
    entity.trace_id = entity.type = None  # what is empty is not written
    if span.notes:
        entity.metadata = {"default": dict(span.notes)}
    entity.subsegments = [_within(entity, below) for below in span.below]
    return entity


def _timed(entity: Any, span: Span) -> Any:
    entity.id = span.id
    entity.start_time, entity.end_time = round(span.start_s, 6), round(span.end_s, 6)
    if span.error is not None:
        entity.add_exception(TaskFailedError(span.error[:_MAX_SAID_CHARACTERS]), [])
    entity.in_progress = False
    return entity


def _name(name: str) -> str:
    return _NO_NAME.sub("_", name)[:_MAX_NAME_CHARACTERS]
