"""The spans of traced bundles: collected from all of a worker's threads, sent when it lets go of the bundle."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.ledger.bundle import Bundle, LineNumbers
from cloudkon.ledger.lease import Lease
from cloudkon.ledger.results import Results, TaskState
from cloudkon.ports import Tracer
from cloudkon.telemetry.tracing import NoTracer, Span, Steps, TraceContext, bounded

_MOST_SPANS = 100
"""Below one bundle; at most some 20 KB, where X-Ray takes 64 KB."""
_MOST_SPANS_A_TASK = 30
_MOST_ELSE = 20
"""Of _MOST_SPANS, for what is neither of these, and mostly once a bundle: claim, complete, forward, release."""
_MANY = frozenset({"checkpoint", "run", "store"})


@dataclass(frozen=True, slots=True)
class Traces:
    """Begins the traces of bundles; safe to share between threads."""

    tracer: Tracer = field(default_factory=NoTracer)
    worker: str = ""

    def begin(self, bundle: Bundle, clock: Clock, received_ms: int) -> "BundleTrace | None":
        """None for a bundle that is not traced, as almost all are."""
        if bundle.trace is None or not self.tracer.wants(bundle.trace):
            return None
        return BundleTrace(self, bundle.trace, clock, received_ms)


class BundleTrace:
    """The trace of one bundle in flight."""

    __slots__ = ("_clock", "_place", "_start_s", "_tasks", "_traces", "error", "steps")

    def __init__(self, traces: Traces, place: TraceContext, clock: Clock, received_ms: int) -> None:
        self._traces = traces
        self._place = place
        self._clock = clock
        self._start_s = received_ms / 1000
        self._tasks: dict[int, Steps] = {}
        self.steps = Steps(clock)
        """What the worker does for the bundle."""
        self.error: str | None = None
        """What became of the bundle, if it went wrong."""

    def task(self, index: int) -> Steps:
        """Where a task's own steps are collected."""
        return self._tasks.setdefault(index, Steps(self._clock))

    def end(self, lease: Lease, lines: LineNumbers, results: Results) -> None:
        """Send all that was collected, and a span for each task that was run in this attempt."""
        steps = [*self.steps.so_far(), *self._runs(lease.attempt, lines, results)]
        few, many = [s for s in steps if s.name not in _MANY], [s for s in steps if s.name in _MANY]
        below = bounded(few, _MOST_ELSE) + bounded(many, _MOST_SPANS - _MOST_ELSE)
        failed = sum(span.name == "run" and span.error is not None for span in steps)
        span = Span(
            "worker",
            self._start_s,
            self._clock.now_ms() / 1000,
            self.error or (f"{failed} of {len(results)} tasks failed" if failed else None),
            {
                "job": lease.key.job,
                "bundle": lease.key.id,
                "worker": self._traces.worker,
                "attempt": lease.attempt,
            },
            sorted(below, key=lambda span: span.start_s),
            context=self._place,
        )
        self._traces.tracer.tell(span)

    def _runs(self, attempt: int, lines: LineNumbers, results: Results) -> Iterator[Span]:
        for index, (line, result) in enumerate(zip(lines, results, strict=True)):
            if result is None or result.attempt != attempt:
                continue
            start_s, own = result.start_ms / 1000, self._tasks.get(index)
            error = None if result.state is TaskState.SUCCEEDED else result.error or result.state.word
            below = () if own is None else bounded(own.so_far(), _MOST_SPANS_A_TASK)
            yield Span("run", start_s, start_s + result.duration_us / 1_000_000, error, {"line": line}, below)
