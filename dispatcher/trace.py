"""The span of the dispatch of a range, and the trace contexts that its bundles carry."""

from types import TracebackType
from typing import Self

from cloudkon.clock import Clock
from cloudkon.ledger.job import Job
from cloudkon.ports import Tracer
from cloudkon.telemetry.tracing import Note, Span, TraceContext, new_span_id, sampling_interval


class RangeTrace:
    """Measures its block, and sends it to the tracer if the job is traced."""

    def __init__(self, tracer: Tracer, clock: Clock, job: Job, number: int) -> None:
        self._tracer = tracer
        self._clock = clock
        self._top = None if job.trace is None else TraceContext(job.trace)
        self._id = new_span_id()
        self._every = sampling_interval(-(-job.tasks_estimate // job.bundle_size), job.bundle_size)
        self.notes: dict[str, Note] = {"job": job.id, "range": number}

    def context(self, bundle: int) -> TraceContext | None:
        """The trace context that the bundle of this number carries; None if it is not traced."""
        if self._top is None or bundle % self._every:
            return None
        return TraceContext(self._top.trace, self._id) if self._tracer.wants(self._top) else self._top

    def __enter__(self) -> Self:
        self._start_s, self._began_s = self._clock.now_ms() / 1000, self._clock.monotonic_s()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._tracer.wants(self._top):
            return
        end_s = self._start_s + self._clock.monotonic_s() - self._began_s
        said = None if error is None else f"{type(error).__name__}: {error}"
        span = Span("dispatch", self._start_s, end_s, said, self.notes, id=self._id, context=self._top)
        self._tracer.tell(span)
