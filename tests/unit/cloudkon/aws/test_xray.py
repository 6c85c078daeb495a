"""What is sent to the X-Ray daemon: by a small world, with a socket in the daemon's place."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder

from cloudkon.aws.xray import XRayTracer
from cloudkon.telemetry.tracing import Span, TraceContext
from tests.support.servers.daemons import XRayDaemon, xray_daemon
from tests.support.worlds.traced_world import TracedWorld

Traced = Callable[..., XRayTracer]
TRACE, LAMBDA = "1-684fe5c0-0123456789abcdef01234567", "53995c3f42cd8ad8"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[XRayDaemon]:
    with xray_daemon() as made:
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", made.address)
        yield made


@pytest.fixture(scope="module", autouse=True)
def _sdk() -> Iterator[None]:
    """The SDK opens a socket of its own when it is loaded."""
    yield
    xray_recorder.emitter._socket.close()


@pytest.fixture
def traced() -> Iterator[Callable[..., XRayTracer]]:
    """Makes tracers, and closes them."""
    with ExitStack() as stack:

        def make(share: float = 1.0, around: TraceContext | None = None) -> XRayTracer:
            return stack.enter_context(closing(XRayTracer("dev", share, lambda: around)))

        yield make


def named(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [below for below in document.get("subsegments", []) if below["name"] == name]


def test_a_job_is_one_trace(daemon: XRayDaemon, traced: Traced, tmp_path: Path) -> None:
    """The dispatch, the bundles below it and all that became of them are segments of the trace in the job's row."""
    world = TracedWorld(traced(), tmp_path)
    job = world.drop("#cloudkon: bundle=2 retries=0\nmake 2\nbreak\nmake 1\n")
    world.run()
    dispatch, first, second = documents = daemon.documents()
    assert {document["trace_id"] for document in documents} == {job.trace}
    assert ("parent_id" in dispatch, first["parent_id"], second["parent_id"]) == (False, *[dispatch["id"]] * 2)
    assert [document["name"] for document in documents] == ["cloudkon-dev-dispatch", *["cloudkon-dev-worker"] * 2]
    annotations = {"stage": "dev", "job": job.id, "bundle": "00000.000000", "worker": "w1", "attempt": 1}
    assert first["annotations"] == annotations
    assert {below["name"] for below in first["subsegments"]} == {"claim", "run", "checkpoint", "complete", "forward"}
    make, broken = named(first, "run")
    assert [below["name"] for below in make["subsegments"]] == ["render", "store"]
    assert (make["metadata"], make["end_time"] - make["start_time"]) == ({"default": {"line": 2}}, pytest.approx(2.0))
    assert (first["fault"], broken["fault"], "fault" in make, "fault" in second) == (True, True, False, False)
    assert broken["cause"]["exceptions"][0]["message"] == "it is broken"
    ids = [part["id"] for document in documents for part in [document, *document.get("subsegments", [])]]
    assert len(ids) == len(set(ids))
    assert all(document["in_progress"] is False for document in documents)


def test_what_is_not_sampled_sends_nothing(daemon: XRayDaemon, traced: Traced, tmp_path: Path) -> None:
    """Of a job outside of the share not a byte is sent."""
    world = TracedWorld(traced(0.0), tmp_path)
    world.drop("make 2\n")
    world.run()
    assert daemon.documents() == []


def test_no_daemon_is_no_harm(
    traced: Traced, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A trace that nobody takes is lost in silence, and the job is done."""
    with xray_daemon() as gone:
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", gone.address)
    world = TracedWorld(traced(), tmp_path)
    job = world.drop("make 2\n")
    world.run()
    world.end_well(job.id)
    assert caplog.records == []


def test_within_lambda_a_dispatch_is_part_of_lambdas_segment(
    daemon: XRayDaemon, traced: Traced, tmp_path: Path
) -> None:
    """The job goes on with the trace of the invocation that opened it, below the segment that Lambda itself sends."""
    around = TraceContext(TRACE, LAMBDA)
    world = TracedWorld(traced(around=around), tmp_path)
    job = world.drop("make 2\n")
    assert job.trace == TRACE
    (dispatch,) = daemon.documents()
    assert (dispatch["type"], dispatch["name"], dispatch["parent_id"]) == ("subsegment", "dispatch", LAMBDA)
    assert (dispatch["trace_id"], dispatch["annotations"]["job"]) == (TRACE, job.id)


@pytest.mark.parametrize(
    "around",
    [TraceContext(TRACE, LAMBDA, sampled=False), TraceContext(TRACE.replace("0", "9"), LAMBDA), TraceContext(TRACE)],
)
def test_a_segment_of_its_own_where_lambda_sends_none(daemon: XRayDaemon, traced: Traced, around: TraceContext) -> None:
    """Where Lambda does not sample the invocation, or traces another one, nothing hangs below its segment."""
    traced(around=around).tell(Span("dispatch", 1, 2, context=TraceContext(TRACE)))
    (dispatch,) = daemon.documents()
    assert ("type" in dispatch, dispatch["name"], "parent_id" in dispatch) == (False, "cloudkon-dev-dispatch", False)


def test_a_large_span_is_sent_in_parts(daemon: XRayDaemon, traced: Traced) -> None:
    """What would not fit a document, or a datagram, is sent as documents that name their parents."""
    inner = Span("store", 2, 3)
    runs = [Span("run", 1, 9, error="x" * 5_000, below=[inner] if not n else []) for n in range(150)]
    top = Span("worker", 0, 10, context=TraceContext(TRACE, LAMBDA), below=runs)
    traced().tell(top)
    *parts, segment = daemon.documents()
    assert (len(parts), segment["id"], "subsegments" in segment) == (150, top.id, False)
    assert {(part["trace_id"], part["parent_id"], part["type"]) for part in parts} == {(TRACE, top.id, "subsegment")}
    assert parts[0]["subsegments"][0]["id"] == inner.id


def test_odd_names_do_not_stop_a_trace(daemon: XRayDaemon, traced: Traced, caplog: pytest.LogCaptureFixture) -> None:
    """A stage of a handler may be called whatever its author likes; X-Ray is told what it takes."""
    below = Span("what? (ä)" + "x" * 300, 1, 2)
    traced().tell(Span("worker", 0, 1, below=[below], context=TraceContext(TRACE)))
    (segment,) = daemon.documents()
    assert segment["subsegments"][0]["name"] == "what_ _ä_" + "x" * 191
    traced().tell(Span("worker", 0, 1))
    assert "A trace was not told" in caplog.text


def test_an_address_that_is_none_is_refused() -> None:
    """A daemon's address that can't be read is told in words, at the start."""
    code = (
        "from cloudkon.settings import Settings; from cloudkon.wiring import InputError, tracer\n"
        "try: tracer({'CLOUDKON_TRACING': 'xray'}, 'dev', Settings())\n"
        "except InputError as error: print(error)"
    )
    environment = {**os.environ, "AWS_XRAY_DAEMON_ADDRESS": "nowhere"}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout == "CLOUDKON_TRACING=xray can't be used: Invalid daemon address nowhere specified.\n"


def test_whoever_does_not_trace_loads_nothing() -> None:
    """Neither the worker nor the Lambda imports what only tracing needs."""
    code = (
        "import sys, ec2_worker.__main__, dispatcher.dispatch, cloudkon.wiring\n"
        "print([name for name in sys.modules if name.startswith(('aws_xray_sdk', 'opentelemetry'))])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
