"""Traces: spans, the spans below them, and the context that connects them. ports.Tracer sends them.

A job is a trace. Its id is in the job's row; a bundle that is traced carries the context of the span above it:

    dispatch (a range)
      +-- worker (a bundle)
            +-- claim, checkpoint, complete, forward
            +-- run (a task)
                  +-- store, and the stages of its handler

Ids are X-Ray's: 1-<8 hex digits of seconds>-<24 hex digits>; without the hyphens and the 1 they are the W3C's.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Self

from cloudkon.clock import Clock
from cloudkon.stage.names import partition

_TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_SPAN = re.compile(r"[0-9a-f]{16}")
_SPANS_A_TRACE = 600
"""What fits the 100 KB that a trace surely has, at 130 to 160 bytes a span.
https://docs.aws.amazon.com/general/latest/gr/xray.html"""
_SPANS_A_BUNDLE = 8
"""The spans of a bundle beside those of its tasks."""
_MOST_STEPS = 1_000
"""How many spans of one bundle, or of one task, are kept until they are sent."""

_CONSOLES = {
    "aws": "aws.amazon.com",
    "aws-cn": "amazonaws.cn",
    "aws-eusc": "amazonaws-eusc.eu",
    "aws-us-gov": "amazonaws-us-gov.com",
}

Note = str | int | float | bool


def new_span_id() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Which trace a span belongs to, and below which span it lies (None: at the top)."""

    trace: str
    parent: str | None = None
    sampled: bool = True

    def __str__(self) -> str:
        """The form of X-Ray's header: Root=...;Parent=...;Sampled=1."""
        parent = f";Parent={self.parent}" if self.parent else ""
        return f"Root={self.trace}{parent};Sampled={int(self.sampled)}"

    @classmethod
    def parse(cls, header: object) -> Self | None:
        """Read what str wrote, or Lambda's header; None for anything else: nothing may fail because of its trace."""
        if not isinstance(header, str):
            return None
        parts = dict(part.strip().partition("=")[::2] for part in header.split(";"))
        trace, parent = parts.get("Root", ""), parts.get("Parent", "")
        if not _TRACE.fullmatch(trace):
            return None
        return cls(trace, parent if _SPAN.fullmatch(parent) else None, sampled=parts.get("Sampled") == "1")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work and how long it took; times are in seconds since the epoch."""

    name: str
    start_s: float
    end_s: float
    error: str | None = None
    """Why it failed, if it did."""
    notes: Mapping[str, Note] = field(default_factory=dict)
    below: Sequence["Span"] = ()
    id: str = field(default_factory=new_span_id)
    context: TraceContext | None = None
    """Which trace it belongs to, and below which span; None for a span that another one has in below."""

    @property
    def size(self) -> int:
        """How many spans it is, with those below it."""
        return 1 + sum(span.size for span in self.below)


class Steps:
    """Collects spans, from any thread."""

    __slots__ = ("_clock", "_spans")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spans: list[Span] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a block as a span, which failed if the block raises."""
        start_s, began_s = self._clock.now_ms() / 1000, self._clock.monotonic_s()
        error = None
        try:
            yield
        except BaseException as failure:
            error = f"{type(failure).__name__}: {failure}"
            raise
        finally:
            if len(self._spans) < _MOST_STEPS:
                self._spans.append(Span(name, start_s, start_s + self._clock.monotonic_s() - began_s, error))

    def so_far(self) -> list[Span]:
        return self._spans.copy()


def step_of(steps: Steps | None, name: str) -> AbstractContextManager[None]:
    """Measure a block as a span if there is something to add it to; otherwise do nothing."""
    return nullcontext() if steps is None else steps.step(name)


def bounded(spans: Sequence[Span], most: int) -> list[Span]:
    """The failed and then the longest spans, so many at most (counted with those below them), in the order of time."""
    kept, room = [], most
    for span in sorted(spans, key=lambda span: (span.error is None, span.start_s - span.end_s)):
        if span.size <= room:
            kept.append(span)
            room -= span.size
    return sorted(kept, key=lambda span: span.start_s)


def trace_id_for(job: str, event_ms: int, share: float, around: TraceContext | None) -> str | None:
    """Decide whether a new job is traced, and return its trace's id: a share of all jobs is, by a hash of the job's id.

    If the job is opened within a trace, it goes on with that one.
    """
    digest = hashlib.sha256(f"trace\0{job}".encode()).digest()
    if int.from_bytes(digest[:8]) >= share * 2**64:
        return None
    return around.trace if around else f"1-{event_ms // 1000:08x}-{digest[8:20].hex()}"


def sampling_interval(bundles: int, bundle_size: int) -> int:
    """Of how many bundles of a traced job one is traced, so that X-Ray keeps the whole trace."""
    most = max(1, _SPANS_A_TRACE // (_SPANS_A_BUNDLE + bundle_size))
    return max(1, -(-bundles // most))


def w3c_id(trace: str) -> str:
    """The trace's id as OpenTelemetry writes it."""
    return trace[2:].replace("-", "")


def console_link(trace: str, region: str) -> str:
    """The address of the trace in the AWS console."""
    console = _CONSOLES.get(partition(region), _CONSOLES["aws"])
    return f"https://{region}.console.{console}/cloudwatch/home?region={region}#xray:traces/{trace}"


class NoTracer:
    """Implements ports.Tracer: nothing is traced."""

    def open(self, job: str, event_ms: int) -> str | None:  # noqa: ARG002 (the port's)
        return None

    def wants(self, context: TraceContext | None) -> bool:  # noqa: ARG002 (the port's)
        return False

    def tell(self, span: Span) -> None:
        """Nothing to tell."""

    def close(self) -> None:
        """Nothing is kept."""
