"""From a dropped workload to bundles on the queue; run again at any point, it runs nothing twice."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.bundle import Bundle, BundleKey
from cloudkon.ledger.job import Job, RangeKey, RangeReport, Source
from cloudkon.ledger.task_times import MAX_NAME_CHARACTERS
from cloudkon.messages.seal import new_seal_key, seal
from cloudkon.messages.sending import Sender
from cloudkon.messages.wire import encode_bundle
from cloudkon.ports import Jobs, ObjectStore, TaskQueue, Tracer
from cloudkon.telemetry.emf import MetricLog
from cloudkon.telemetry.metering import Meter
from cloudkon.telemetry.tracing import NoTracer, TraceContext
from cloudkon.workload.packing import PackedBundle, Reject, pack_bundles
from cloudkon.workload.planning import (
    DEFAULT_SLOTS,
    DEFAULT_WORKER_SLOTS,
    TRAVELLING,
    BundleBounds,
    Sample,
)
from cloudkon.workload.rejects import Rejects
from cloudkon.workload.templates.form import Form
from dispatcher.planned import planned_job
from dispatcher.ranges import LineCount, Workload, look_at, range_blocks
from dispatcher.trace import RangeTrace

_UNZIP = "A gzipped workload can't be cut into ranges: drop it as it is unpacked, or as several files."


@dataclass(slots=True)
class Dispatcher:
    """Opens jobs and sends their bundles.

    Its methods raise what the ports raise. Called again, they go on with the ranges that have no row yet.
    """

    workloads: ObjectStore
    results: ObjectStore
    jobs: Jobs
    queue: TaskQueue
    clock: Clock
    meter: Meter = field(default_factory=Meter)
    slots: int = DEFAULT_SLOTS
    """The slots of all workers together."""
    worker_slots: int = DEFAULT_WORKER_SLOTS
    bounds: BundleBounds = TRAVELLING
    backoff: Backoff = field(default_factory=Backoff)
    tracer: Tracer = field(default_factory=NoTracer)
    metrics: MetricLog | None = None
    new_seal_key: Callable[[], str] = new_seal_key

    def open(self, source: Source, *, prefix: str = "", form: Form | None = None) -> Job:
        """Write the job's row, or return the one that stands: the first plan binds every later dispatch.

        The workload's lines are tasks, or values of this form, or of the one that its header tells.
        """
        workload = Workload(self.workloads, source)
        size_bytes = workload.size_bytes()
        look = look_at(workload, size_bytes, form)
        planned = planned_job(
            source,
            size_bytes,
            look,
            prefix=prefix,
            slots=self.slots,
            worker_slots=self.worker_slots,
            bounds=self.bounds,
            learnt_ms=self._learnt_ms(look.sample),
        )
        asked = replace(
            planned,
            opened_ms=self.clock.now_ms(),
            trace=self.tracer.open(planned.id, source.event_ms),
            seal_key=self.new_seal_key(),
        )
        standing = self.jobs.open(asked)
        if standing == asked:  # else an earlier try has opened it
            self._count({"JobsOpened": 1})
        return standing

    def _learnt_ms(self, seen: Sample) -> float | None:
        """The mean time of the workload's tasks in earlier jobs; None where it is not known, or not asked for."""
        options = seen.options
        if not seen.name or seen.alone or options.bundle is not None or options.task_ms is not None:
            return None
        known = self.jobs.task_time(seen.name) if len(seen.name) <= MAX_NAME_CHARACTERS else None
        return None if known is None else known.mean_ms

    def missing(self, job: Job) -> Sequence[int]:
        """The ranges of the job that have not been dispatched, in order."""
        done = {report.range for report in self.jobs.dispatched(job.id)}
        return [number for number in range(job.ranges) if number not in done]

    def dispatch(
        self,
        job: Job,
        calls_before: Mapping[str, int] | None = None,
        *,
        resend: bool = False,
        until_ms: int | None = None,
    ) -> None:
        """Dispatch the job's missing ranges, one after the other; with resend all, for a queue that was lost."""
        before = calls_before if calls_before is not None else self.meter.totals()
        for number in range(job.ranges) if resend else self.missing(job):
            before = self.send_range(job, number, before, until_ms=until_ms)

    def send_range(
        self, job: Job, number: int, calls_before: Mapping[str, int], *, until_ms: int | None = None
    ) -> Mapping[str, int]:
        """Send a range's bundles, write its rejects, and last its row; return the calls counted so far.

        Raises CloudKonError if it is not through with the workload's lines at until_ms.
        """
        with RangeTrace(self.tracer, self.clock, job, number) as trace:
            return self._send_bundles(job, number, calls_before, trace, until_ms)

    def _send_bundles(
        self, job: Job, number: int, calls_before: Mapping[str, int], trace: RangeTrace, until_ms: int | None
    ) -> Mapping[str, int]:
        started_ms = self.clock.now_ms()
        lines = LineCount()
        rejects = Rejects(self.results, job.id, number)
        tasks = bundles = 0
        with Sender(self.queue, self.clock, self.backoff) as sender:
            read = range_blocks(Workload(self.workloads, job.source), job, number)
            for item in pack_bundles(map(lines.seen, read), job.bundle_size, has_header=number == 0):
                self._check_time(job, number, until_ms)
                if isinstance(item, Reject):
                    rejects.add(item)
                    continue
                sender.put(encode_bundle(self._bundle(job, number, bundles, item, trace.context(bundles))))
                bundles += 1
                tasks += len(item.tasks)
        rejects.flush()
        trace.notes |= {"tasks": tasks, "bundles": bundles, "rejected": rejects.count}
        after = self.meter.totals()
        self.jobs.record_range(
            RangeReport(
                job=job.id,
                range=number,
                tasks=tasks,
                bundles=bundles,
                rejected=rejects.count,
                lines=lines.count,
                started_ms=started_ms,
                ended_ms=self.clock.now_ms(),
                api_calls=Counter(after) - Counter(calls_before),
            )
        )
        self._count({"TasksDispatched": tasks, "LinesRejected": rejects.count})
        return after

    def _check_time(self, job: Job, number: int, until_ms: int | None) -> None:
        if until_ms is not None and self.clock.now_ms() >= until_ms:
            advice = _UNZIP if job.gzipped else "Larger bundles take less time: see its header's bundle=."
            raise CloudKonError(f"Not dispatched in the time that Lambda gives: {RangeKey(job.id, number)}. {advice}")

    def _count(self, metrics: Mapping[str, int]) -> None:
        if self.metrics is not None:
            self.metrics.write(metrics)

    def _bundle(
        self, job: Job, range_number: int, number: int, packed: PackedBundle, trace: TraceContext | None
    ) -> Bundle:
        key = BundleKey(job.id, range_number, number, job.shards)
        now_ms = self.clock.now_ms()
        event_ms = job.source.event_ms
        bundle = Bundle(
            key,
            packed.lines,
            packed.tasks,
            event_ms,
            now_ms,
            job.retries,
            job.timeout_s,
            trace,
            keep_logs=job.keep_logs,
        )
        return bundle if job.seal_key is None else replace(bundle, seal=seal(bundle, job.seal_key))
