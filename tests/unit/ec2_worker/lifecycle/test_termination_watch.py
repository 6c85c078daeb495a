"""A worker leaves an instance before EC2 takes it away."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cloudkon.clock import SystemClock
from cloudkon.ledger.fleet import WorkerState
from ec2_worker.lifecycle.drain import Drain
from ec2_worker.lifecycle.imds import Metadata
from ec2_worker.lifecycle.shutdown import Shutdown
from ec2_worker.lifecycle.termination_watch import TerminationWatch
from ec2_worker.lifecycle.threads import Threads
from tests.support.manual_clock import ManualClock
from tests.support.servers.metadata_server import LIFECYCLE, NOTICE, REBALANCE, MetadataServer, metadata_server
from tests.support.waiting import eventually
from tests.support.worlds.worker_with_threads import Ward


class NotedDrain(Drain):
    """Tells what it was asked for."""

    def __init__(self, watched: "Watched") -> None:
        super().__init__(watched.clock, 90.0)
        self._drains = watched.drains

    def within(self, seconds: float, reason: str = "") -> None:
        self._drains.append((seconds, reason))


class Watched:
    """A watch over a metadata service of its own, and the drains that it asked for."""

    def __init__(self, server: MetadataServer) -> None:
        self.server = server
        self.clock = ManualClock()
        self.drains: list[tuple[float, str]] = []
        metadata = Metadata(server.endpoint, self.clock)
        self.watch = TerminationWatch(metadata, self.clock, NotedDrain(self), every_s=0.01)

    def announce(self, in_s: float, action: str = "terminate") -> None:
        at = datetime.fromtimestamp(self.clock.now_ms() / 1000 + in_s, UTC)
        self.server.answers[NOTICE] = f'{{"action": "{action}", "time": "{at:%Y-%m-%dT%H:%M:%SZ}"}}'

    def recommend(self) -> None:
        self.server.answers[REBALANCE] = '{"noticeTime": "2025-06-15T15:06:40Z"}'


@pytest.fixture
def watched() -> Iterator[Watched]:
    with metadata_server() as server:
        yield Watched(server)


def test_nothing_announced_nothing_done(watched: Watched) -> None:
    """As long as there is no notice, the watch goes on."""
    assert watched.watch.look() is False
    assert watched.drains == []


@pytest.mark.parametrize(("in_s", "left_s"), [(120.0, 115.0), (7.0, 2.0), (3.0, 0.0), (-60.0, 0.0)])
def test_a_spot_notice_drains_in_the_time_left(watched: Watched, in_s: float, left_s: float) -> None:
    """The worker is done some seconds before the instance ends, and a late notice drains at once."""
    watched.announce(in_s)
    assert watched.watch.look() is True
    assert watched.drains == [(left_s, "spot interruption: terminate")]


def test_a_recommendation_drains_once_and_the_watch_goes_on(watched: Watched) -> None:
    """The notice may follow it, and leave less time."""
    watched.recommend()
    assert [watched.watch.look() for _ in range(2)] == [False, False]
    watched.announce(20.0, "stop")
    assert watched.watch.look() is True
    assert watched.drains == [(90.0, "rebalance recommendation"), (15.0, "spot interruption: stop")]


def test_in_a_group_a_recommendation_is_the_groups_business(watched: Watched) -> None:
    """The group starts another machine first, and ends this one then; where it finds none, this one works on."""
    watched.server.answers[LIFECYCLE] = "InService"
    watched.recommend()
    assert watched.watch.look() is False
    assert watched.drains == []
    watched.server.answers[LIFECYCLE] = "Terminated"
    assert watched.watch.look() is True
    assert watched.drains == [(90.0, "scale-in")]


def test_trouble_is_told_once_and_outlived(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """A notice that can't be read, or a service that is busy, ends neither the worker nor the watch."""
    watched.server.answers[NOTICE] = "<html>"
    assert [watched.watch.look() for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 1
    watched.announce(120.0)
    assert watched.watch.look() is True


def test_the_watch_ends_with_the_notice(watched: Watched) -> None:
    """It learns where it is, asks again and again, and asks no more once the end is known."""
    for _ in range(3):
        watched.watch.tick()
    assert watched.server.asked.count(NOTICE) == 3
    watched.announce(120.0)
    for _ in range(3):
        watched.watch.tick()
    assert watched.server.asked.count(NOTICE) == 4
    assert watched.drains == [(115.0, "spot interruption: terminate")]
    assert watched.watch.instance is not None
    assert watched.watch.instance.zone == "eu-central-1a"


def test_elsewhere_it_is_over_at_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody gives tokens there is no instance; nothing is asked again, and nobody hears of it."""
    watched.server.gives_tokens = False
    watched.announce(120.0)
    for _ in range(3):
        watched.watch.tick()
    assert watched.drains == []
    assert watched.watch.instance is None
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


def test_a_worker_leaves_a_spot_instance(watched: Watched) -> None:
    """Wired together: the notice drains the worker, and its row names the instance and the reason."""
    with Ward(Metadata(watched.server.endpoint, SystemClock())) as ward:
        assert eventually(lambda: ward.row().instance is not None)
        watched.server.answers[NOTICE] = '{"action": "terminate", "time": "2025-06-15T15:06:40Z"}'
        assert eventually(lambda: ward.ended)
        assert (ward.row().state, ward.row().reason) == (WorkerState.STOPPED, "spot interruption: terminate")


def test_a_scale_in_drains(watched: Watched) -> None:
    """Once its group ends the instance, the worker drains; in service it goes on."""
    watched.server.answers[LIFECYCLE] = "InService"
    assert watched.watch.look() is False
    watched.server.answers[LIFECYCLE] = "Terminated"
    assert watched.watch.look() is True
    assert watched.drains == [(90.0, "scale-in")]


def test_nobody_lets_an_instance_go_whose_watch_still_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the watch is just telling the group must not come after the worker's last word."""
    monkeypatch.setattr("ec2_worker.lifecycle.shutdown._LAST_WRITES_S", 0.0)
    told: list[str] = []
    silent = threading.Event()
    monitor: Any = SimpleNamespace(report_stopped=told.append, every_s=1.0, tick=lambda: None)
    speaking: Any = SimpleNamespace(every_s=1.0, tick=silent.wait, leave=lambda: told.append("left"))
    nothing: Any = None
    drain = Drain(ManualClock(), 90.0, "scale-in")
    unused = (nothing, nothing, nothing, nothing, nothing, nothing)
    shutdown = Shutdown(drain, *unused, monitor, speaking, 20.0)
    monitors, watches = (Threads().start_loop("a loop", each) for each in (monitor, speaking))
    assert eventually(lambda: monitors.stop(0.0))
    shutdown.say_stopped(monitors)
    shutdown.leave_instance(watches)
    assert told == ["scale-in"]
    silent.set()
    assert eventually(lambda: watches.stop(0.0))
    shutdown.leave_instance(watches)
    assert told[-1] == "left"
