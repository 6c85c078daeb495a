"""What is traced, what is told of it, and where it hangs; decided without anybody who takes it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import InputError
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.messages.wire import decode_bundle, encode_bundle
from cloudkon.settings import Settings
from cloudkon.telemetry.tracing import (
    NoTracer,
    Span,
    TraceContext,
    bounded,
    console_link,
    sampling_interval,
    trace_id_for,
    w3c_id,
)
from cloudkon.wiring import tracer
from tests.support.data.rows import NOW_MS
from tests.support.worlds.traced_world import TracedWorld

TRACE, PARENT = "1-684fe5c0-0123456789abcdef01234567", "0123456789abcdef"


class Notebook(NoTracer):
    """A tracer that keeps what it is told, of all jobs or of none."""

    def __init__(self, share: float = 1.0) -> None:
        self.told: list[Span] = []
        self.share = share

    def open(self, job: str, event_ms: int) -> str | None:
        return trace_id_for(job, event_ms, self.share, None)

    def wants(self, context: TraceContext | None) -> bool:
        return context is not None

    def tell(self, span: Span) -> None:
        self.told.append(span)


def all_of(spans: list[Span]) -> Iterator[Span]:
    for span in spans:
        yield span
        yield from all_of(list(span.below))


@pytest.mark.parametrize(
    ("header", "place"),
    [
        (f"Root={TRACE};Parent={PARENT};Sampled=1", TraceContext(TRACE, PARENT)),
        (f"Root={TRACE};Parent={PARENT};Sampled=0;Lineage=1:a:0", TraceContext(TRACE, PARENT, sampled=False)),
        (f"Self=x; Root={TRACE}", TraceContext(TRACE, None, sampled=False)),
        (f"Root={TRACE};Parent=odd;Sampled=1", TraceContext(TRACE)),
        ("Root=1-2-3;Sampled=1", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_header_is_read_as_far_as_it_goes(header: object, place: TraceContext | None) -> None:
    """What Lambda, or a bundle, says of its trace is taken where it can be, and fails nothing where it can't."""
    assert TraceContext.parse(header) == place
    assert place is None or TraceContext.parse(str(place)) == place


def test_a_bundle_carries_its_place() -> None:
    """A bundle that is told says where it hangs; one that is not, and one with nonsense there, are bundles as any."""
    bundle = Bundle(
        BundleKey("j", 0, 0), LineNumbers.of([1]), ("a",), NOW_MS, NOW_MS, trace=TraceContext(TRACE, PARENT)
    )
    body = json.loads(encode_bundle(bundle))
    assert body["trace"] == f"Root={TRACE};Parent={PARENT};Sampled=1"
    assert decode_bundle(encode_bundle(bundle)) == bundle
    assert decode_bundle(json.dumps(body | {"trace": ["?"]})).trace is None
    del body["trace"]
    assert decode_bundle(json.dumps(body)).trace is None


def test_a_share_of_all_jobs_is_traced() -> None:
    """The same jobs of any are traced whoever asks, about as many as the share says; one's trace is its own."""
    jobs = [f"job-{number}" for number in range(1_000)]
    tenth = {job: trace_id_for(job, NOW_MS, 0.1, None) for job in jobs}
    traced = {job: trace for job, trace in tenth.items() if trace}
    assert 60 <= len(traced) <= 140
    assert {job: trace_id_for(job, NOW_MS, 0.5, None) for job in traced} == traced
    assert [trace_id_for(job, NOW_MS, 0.0, None) for job in jobs] == [None] * len(jobs)
    assert len({trace_id_for(job, NOW_MS, 1.0, None) for job in jobs}) == len(jobs)
    assert all(TraceContext.parse(str(TraceContext(trace))) == TraceContext(trace) for trace in traced.values())
    assert trace_id_for("job-0", NOW_MS, 1.0, TraceContext(TRACE, PARENT)) == TRACE


@given(st.integers(1, 10**9), st.integers(1, 64))
def test_a_trace_stays_small(bundles: int, bundle_size: int) -> None:
    """However large the job, what is told of it fits the trace that X-Ray keeps."""
    every = sampling_interval(bundles, bundle_size)
    told = -(-bundles // every)
    assert told * (8 + bundle_size) <= 600
    assert every == 1 or (bundles // (every - 1)) * (8 + bundle_size) > 600 - (8 + bundle_size)


def test_what_failed_is_told_first() -> None:
    """Of too many spans those that failed are kept, and then the longest, with all below them; in the order of time."""
    spans = [Span("run", start, start + 1 + start % 10) for start in range(200)]
    spans[7] = Span("run", 7, 7.001, error="no")
    kept = bounded(spans, 21)
    assert [span.start_s for span in kept] == sorted([7, *range(9, 200, 10)])
    large = Span("run", 0, 1_000, below=[Span("store", 0, 1)] * 30)
    assert bounded([large, *spans], 21) == kept


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("eu-central-1", "console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_shows_a_trace(region: str, domain: str) -> None:
    """The link leads to the region's own console."""
    assert console_link(TRACE, region) == (
        f"https://{region}.{domain}/cloudwatch/home?region={region}#xray:traces/{TRACE}"
    )
    assert w3c_id(TRACE) == "684fe5c00123456789abcdef01234567"


def test_a_job_is_one_trace(tmp_path: Path) -> None:
    """From the dispatch over the bundles to the tasks' own stages everything hangs together."""
    notebook = Notebook()
    world = TracedWorld(notebook, tmp_path)
    job = world.drop("#cloudkon: bundle=2 retries=0\nmake 2\nbreak\nmake 1\n")
    assert job.trace == world.ledger.recent(1)[0].trace
    world.run()
    dispatch, first, second = notebook.told
    assert dispatch.context == TraceContext(job.trace or "")
    assert dispatch.notes == {"job": job.id, "range": 0, "tasks": 3, "bundles": 2, "rejected": 0}
    assert [span.context for span in (first, second)] == [TraceContext(job.trace or "", dispatch.id)] * 2
    assert first.notes == {"job": job.id, "bundle": "00000.000000", "worker": "w1", "attempt": 1}
    assert first.error == "1 of 2 tasks failed"
    names = [span.name for span in first.below]
    assert (names[0], sorted(names)) == ("claim", sorted(["claim", "run", "checkpoint", "run", "complete", "forward"]))
    make, broken = (span for span in first.below if span.name == "run")
    assert make.end_s - make.start_s == pytest.approx(2)
    assert (make.notes, make.error) == ({"line": 2}, None)
    assert [(span.name, span.end_s - span.start_s) for span in make.below] == [("render", 2.0), ("store", 0.0)]
    assert (broken.notes, broken.error, list(broken.below)) == ({"line": 3}, "it is broken", [])
    assert second.error is None
    assert all(first.start_s <= span.start_s <= span.end_s <= first.end_s for span in first.below)


def test_what_is_not_traced_is_not_collected(tmp_path: Path) -> None:
    """A job that is not traced tells nothing, keeps no trace, and its bundles are as they ever were."""
    notebook = Notebook(share=0.0)
    world = TracedWorld(notebook, tmp_path)
    assert world.drop("make 1\n").trace is None
    machine = world.machine()
    machine.receive()
    assert [held.trace for held in machine.holds()] == [None]
    world.run()
    assert notebook.told == []


def test_a_worker_that_does_not_trace_leaves_it(tmp_path: Path) -> None:
    """A bundle that is told runs on a worker without tracing as on any."""
    notebook = Notebook()
    world = TracedWorld(notebook, tmp_path)
    job = world.drop("make 1\n")
    world.tracer = NoTracer()
    world.run()
    world.end_well(job.id)
    assert [span.name for span in notebook.told] == ["dispatch"]


def test_a_dispatcher_that_does_not_trace_passes_it_on(tmp_path: Path) -> None:
    """A range that is dispatched without tracing hangs its bundles at the trace's top, not below what nobody tells."""
    notebook = Notebook()
    world = TracedWorld(notebook, tmp_path)
    job = world.drop("make 1\n")
    world.tasks.delete([delivery.receipt for delivery in world.tasks.receive(10, 0.0, 9.0)])
    world.dispatcher.tracer = NoTracer()
    world.dispatcher.dispatch(job, resend=True)
    world.run()
    assert [span.context for span in notebook.told] == [TraceContext(job.trace or "")] * 2


def test_every_attempt_is_told(tmp_path: Path) -> None:
    """A bundle that is given back, lost or tried again has a span for each time that a worker held it."""
    notebook = Notebook()
    world = TracedWorld(notebook, tmp_path)
    world.drop("#cloudkon: bundle=2\nmake 1\nmake 1\n")
    late = world.machine("late")
    late.receive()
    late.run_one()
    world.clock.advance(world.settings.visibility_s + 1)
    second = world.machine("second")
    second.receive()
    second.run_one()
    second.give_back()
    late.keep()
    world.run()
    told = [(span.notes["worker"], span.notes["attempt"], span.error) for span in notebook.told[1:]]
    assert told == [("second", 2, None), ("late", 1, "another worker has taken over"), ("w1", 3, None)]
    assert [sum(span.name == "run" for span in top.below) for top in notebook.told[1:]] == [1, 1, 1]
    assert "release" in [span.name for span in notebook.told[1].below]


def test_of_a_large_job_some_bundles_are_told(tmp_path: Path) -> None:
    """Bundles beyond what a trace holds travel without it, and those that are told are spread evenly."""
    world = TracedWorld(Notebook(), tmp_path)
    world.drop("#cloudkon: bundle=1\n" + "make 1\n" * 140)
    told: list[int] = []
    while found := world.tasks.receive(10, 0.0, 60.0):
        bundles = [decode_bundle(delivery.body) for delivery in found]
        told += [bundle.key.number for bundle in bundles if bundle.trace is not None]
    assert sorted(told) == list(range(0, 140, 3))


def test_a_bundle_is_told_once(tmp_path: Path) -> None:
    """Two threads that let go of the same bundle, as a drain and the settler may, tell one span of it."""
    notebook = Notebook()
    world = TracedWorld(notebook, tmp_path)
    world.drop("make 1\n")
    worker = world.machine()
    worker.receive()
    (held,) = worker.holds()
    for _ in range(2):
        worker.worker.heartbeat.in_flight.discard(held)
    assert [span.name for span in notebook.told] == ["dispatch", "worker"]


def test_a_dispatch_that_fails_is_told(tmp_path: Path) -> None:
    """What kept a range from its queue stands in the trace, and the next try is a span of its own."""
    notebook = Notebook()
    world = TracedWorld(notebook, tmp_path)
    job = world.drop("make 1\n")
    world.dispatcher.workloads = TracedWorld(notebook, tmp_path / "elsewhere").store
    with pytest.raises(Exception, match=r"tasks\.txt"):
        world.dispatcher.dispatch(job, resend=True)
    assert "NotFoundError" in (notebook.told[-1].error or "")


def test_the_environment_says_who_takes_traces() -> None:
    """Nobody unless it is said, and a word that is none is refused."""
    assert isinstance(tracer({}, "dev", Settings()), NoTracer)
    assert isinstance(tracer({"CLOUDKON_TRACING": "off"}, "dev", Settings()), NoTracer)
    with pytest.raises(InputError, match="CLOUDKON_TRACING=jaeger is none of off, xray and otel"):
        tracer({"CLOUDKON_TRACING": "jaeger"}, "dev", Settings())
    with pytest.raises(InputError, match="trace_share lies between 0 and 1"):
        Settings(trace_share=1.5)
