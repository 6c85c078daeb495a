"""The metrics that workers and the dispatcher write, as CloudWatch reads them."""

import errno
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import InputError
from cloudkon.settings import Settings
from cloudkon.telemetry.emf import MetricLog, line, representative_values
from cloudkon.telemetry.histogram import Histogram
from cloudkon.telemetry.tracing import NoTracer
from cloudkon.wiring import metric_log
from ec2_worker.telemetry.metrics import Metrics
from tests.support.data.emf_reader import metrics_of
from tests.support.data.rows import NOW_MS
from tests.support.manual_clock import ManualClock
from tests.support.worlds.traced_world import TracedWorld
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

EVERY = {
    "TasksSucceeded", "TasksFailed", "TasksRejected", "TaskRunMilliseconds", "TaskQueueMilliseconds", "TaskRepeats",
    "SlotsBusy", "Slots", "WorkersSick", "LeasesLost",
}  # fmt: skip


class Written:
    """A log, and what CloudWatch makes of it."""

    def __init__(self, clock: ManualClock) -> None:
        self.text = io.StringIO()
        self.log = MetricLog("dev", clock, self.text)

    def documents(self) -> list[dict[str, Any]]:
        return [metrics_of(each) for each in self.text.getvalue().splitlines()]


class FullDisk(io.StringIO):
    """Where nothing can be written."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_metrics_that_can_not_be_written_are_lost(caplog: pytest.LogCaptureFixture) -> None:
    """A disk that is full ends no worker: that is for its health to say."""
    MetricLog("dev", ManualClock(), FullDisk()).write({"Slots": 1})
    assert "No space left" in caplog.text


def measured(machine: SteppedWorker) -> Written:
    """Let the worker of a small world write its metrics."""
    written = Written(machine.world.clock)
    machine.worker.monitor.metrics.log = written.log
    return written


def test_a_line_says_what_is_a_metric() -> None:
    """Names, units, the stage and the time are where CloudWatch looks for them; a metric without values is left out."""
    made = line(
        "dev", NOW_MS, {"Slots": 4, "TaskRunMilliseconds": [1.5, 2], "TaskQueueMilliseconds": []}, {"Worker": "w"}
    )
    document = metrics_of(made)
    assert document.pop("_aws") == {
        "Timestamp": NOW_MS,
        "CloudWatchMetrics": [
            {
                "Namespace": "CloudKon",
                "Dimensions": [["Stage"]],
                "Metrics": [
                    {"Name": "Slots", "Unit": "Count"},
                    {"Name": "TaskRunMilliseconds", "Unit": "Milliseconds"},
                ],
            }
        ],
    }
    assert document == {"Stage": "dev", "Worker": "w", "Slots": 4, "TaskRunMilliseconds": [1.5, 2]}


@given(st.lists(st.integers(0, 10**7), max_size=400))
def test_durations_are_stood_for_evenly(durations_ms: list[int]) -> None:
    """Up to a hundred are written as they are, more by a hundred of their ranks; the longest is always there."""
    histogram = Histogram()
    histogram.add_all(durations_ms)
    shown = representative_values(histogram)
    assert len(shown) == min(len(durations_ms), 100)
    assert shown == sorted(shown)
    assert max(durations_ms, default=None) == (shown[-1] if shown else None)
    if len(durations_ms) <= 100:
        assert shown == [pytest.approx(each, rel=0.003) for each in sorted(durations_ms)]


def test_a_worker_writes_what_it_did() -> None:
    """Each task is counted once, by how it ended, with its runs beyond the first; what comes next begins at 0."""
    world = WorkerWorld(replace(Settings(), retry_base_s=0.0))
    machine = SteppedWorker(world, "w1")
    written = measured(machine)
    world.send("note a", "stumble b", "nosuch")
    for _ in range(8):
        machine.step()
    machine.worker.monitor.metrics.flush()
    machine.worker.monitor.metrics.flush()
    first, second = written.documents()
    assert {metric["Name"] for metric in first["_aws"]["CloudWatchMetrics"][0]["Metrics"]} == EVERY
    assert [first[name] for name in ("TasksSucceeded", "TasksFailed", "TasksRejected", "TaskRepeats")] == [2, 0, 1, 1]
    assert (len(first["TaskRunMilliseconds"]), first["Slots"], first["WorkersSick"]) == (2, 1, 0)
    assert (first["Stage"], first["Worker"]) == ("dev", "w1")
    assert (second["TasksSucceeded"], "TaskRunMilliseconds" in second) == (0, False)


def test_a_lost_lease_is_counted() -> None:
    """A worker that another has taken over from counts that, and none of the tasks: the other does."""
    world = WorkerWorld(Settings())
    late, quick = SteppedWorker(world, "late"), SteppedWorker(world, "quick")
    logs = [measured(late), measured(quick)]
    world.send("note a")
    late.receive()
    late.run_one()
    world.clock.advance(world.settings.visibility_s + 1)
    quick.receive()
    quick.run_one()
    quick.settle()
    late.settle()
    for machine in (late, quick):
        machine.worker.monitor.metrics.flush()
    counted = [(document["LeasesLost"], document["TasksSucceeded"]) for log in logs for document in log.documents()]
    assert counted == [(1, 0), (0, 1)]


def test_a_line_a_minute() -> None:
    """Between its lines a worker looks how busy it is, and writes the mean of that; sick or not is what it is then."""
    clock = ManualClock()
    written, busy = Written(clock), [4]
    metrics = Metrics(written.log, clock, "w", 4, 60.0, busy=lambda: busy[0], is_sick=lambda: True)
    for second in range(120):
        busy[0] = 4 if second < 75 else 0
        clock.advance(1)
        metrics.tick()
    assert [(each["SlotsBusy"], each["WorkersSick"]) for each in written.documents()] == [(4, 1), (1, 1)]


def test_without_a_log_nothing_is_kept() -> None:
    """A worker that writes no metrics counts none."""
    world = WorkerWorld(Settings())
    machine = SteppedWorker(world, "w1")
    world.send("note a")
    for _ in range(4):
        machine.step()
    metrics = machine.worker.monitor.metrics
    metrics.tick()
    metrics.flush()
    assert (metrics._counts, metrics._samples, metrics._run.count) == ({}, [], 0)


def test_the_dispatcher_writes_what_it_sent(tmp_path: Path) -> None:
    """A job is counted when it is opened, once however often it is dispatched; tasks and rejects with each range."""
    world = TracedWorld(NoTracer(), tmp_path)
    written = Written(world.clock)
    world.dispatcher.metrics = written.log
    world.drop('make 1\nmake 2\nmake "3\n')
    world.clock.advance(1)
    world.drop('make 1\nmake 2\nmake "3\n')
    opened, sent = written.documents()
    assert (opened["JobsOpened"], sent["TasksDispatched"], sent["LinesRejected"]) == (1, 2, 1)


def test_the_environment_asks_for_metrics() -> None:
    """They are written if it is said how, and a word that is none is refused."""
    out = io.StringIO()
    assert metric_log({}, "dev", out) is None
    assert metric_log({"CLOUDKON_METRICS": "off"}, "dev", out) is None
    made = metric_log({"CLOUDKON_METRICS": "emf"}, "dev", out)
    assert made is not None
    assert (made.stage, made.out) == ("dev", out)
    with pytest.raises(InputError, match="CLOUDKON_METRICS=statsd is none of off and emf"):
        metric_log({"CLOUDKON_METRICS": "statsd"}, "dev", out)
