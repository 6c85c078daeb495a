"""What is sent to an OpenTelemetry collector: by a small world, with a server on loopback in the collector's place."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudkon.telemetry.otel import OtelTracer
from cloudkon.telemetry.tracing import w3c_id
from tests.support.servers.daemons import Collector, collector
from tests.support.worlds.traced_world import TracedWorld


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        yield made


def test_a_job_is_one_trace(taking: Collector, tmp_path: Path) -> None:
    """The spans of a job share the id of its row, hang together, and say whose they are and what failed."""
    tracer = OtelTracer("dev", 1.0)
    world = TracedWorld(tracer, tmp_path)
    job = world.drop("#cloudkon: bundle=2 retries=0\nmake 2\nbreak\n")
    world.run()
    tracer.close()
    spans = taking.spans()
    assert {span.trace_id.hex() for _, span in spans} == {w3c_id(job.trace or "")}
    by_name = {span.name: (service, span) for service, span in spans}
    assert {service for service, _ in spans} == {"cloudkon-dev-dispatch", "cloudkon-dev-worker"}
    dispatch, worker, render = (by_name[name][1] for name in ("dispatch", "worker", "render"))
    assert (dispatch.parent_span_id, worker.parent_span_id) == (b"", dispatch.span_id)
    runs = [span for _, span in spans if span.name == "run"]
    assert {run.parent_span_id for run in runs} == {worker.span_id}
    assert render.parent_span_id in {run.span_id for run in runs}
    assert render.end_time_unix_nano - render.start_time_unix_nano == 2_000_000_000
    assert sorted(run.status.message for run in runs) == ["", "it is broken"]
    notes = {each.key: each.value.string_value for each in worker.attributes}
    assert notes["cloudkon.job"] == job.id
    assert notes["cloudkon.stage"] == "dev"
    assert {span.name for _, span in spans} >= {"claim", "checkpoint", "complete", "forward", "store"}


def test_what_is_not_sampled_sends_nothing(taking: Collector, tmp_path: Path) -> None:
    """Of a job outside of the share nothing is sent."""
    tracer = OtelTracer("dev", 0.0)
    world = TracedWorld(tracer, tmp_path)
    world.drop("make 2\n")
    world.run()
    tracer.close()
    assert taking.requests == []


def test_no_collector_is_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A trace that nobody takes is lost, and the job is done."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{gone.getsockname()[1]}")
    tracer = OtelTracer("dev", 1.0)
    world = TracedWorld(tracer, tmp_path)
    job = world.drop("make 2\n")
    world.run()
    world.end_well(job.id)
    tracer.close()
