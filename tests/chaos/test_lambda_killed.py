"""The Lambda is killed at every call it makes, and retried; the calls are those of one that was left alone.

A small workload is dispatched by the function that opens its job. A large one has two ranges: that function sends two
messages, and another dispatches each.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloudkon.ledger.bundle import Bundle, BundleKey
from cloudkon.ledger.job import Job, RangeReport, Source
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.messages.wire import decode_bundle
from cloudkon.settings import Settings
from dispatcher.dispatch import Dispatcher
from dispatcher.ingest import Ingester
from tests.support.tripwire import Killed, Point, Tripwire, points
from tests.support.worlds.worker_world import EMPTY, WorkerWorld

SETTINGS = Settings()
TASKS = 90
SMALL, LARGE = (Source("workloads", key, "v1", 1_750_000_000_000, pinned=False) for key in ("small.txt", "large.txt"))
VISIBILITY_S = 5400.0
"""After so long a message comes back from a Lambda that was killed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two workloads: of the same tasks, and with two lines that are none. Most of the large one is comment."""
    folder = tmp_path_factory.mktemp("workload")
    for source, comments in ((SMALL, 0), (LARGE, 47)):
        with (folder / source.key).open("w", encoding="utf-8") as file:
            file.write("#cloudkon: bundle=2\n")
            file.writelines(f"note {number}\n" for number in range(TASKS // 2))
            file.write('note "\n')
            file.writelines("#" * 180_000 + "\n" for _ in range(comments))
            file.writelines(f"note {number}\n" for number in range(TASKS // 2, TASKS))
            file.write('note "\n')
    return folder


class Stage:
    """A stage's Lambda, whose functions live until one trips over the wire, and are called again."""

    def __init__(self, folder: Path, point: Point | None = None) -> None:
        self.world = WorkerWorld(SETTINGS)
        self.ranges = MemoryQueue(self.world.clock)
        self.wire = Tripwire(point)
        self.killed = 0
        self._folder = folder

    def drop(self, source: Source) -> Job:
        """S3 calls ingest, and Lambda repeats a call that failed."""
        try:
            return self._ingester().ingest(source)
        except Killed:
            self._forget_the_dead()
            return self._ingester().ingest(source)

    def dispatch(self) -> None:
        """Let dispatch_range have every message; what it died of comes back."""
        while self.ranges.depth() != EMPTY:
            for delivery in self.ranges.receive(1, 0.0, VISIBILITY_S):
                try:
                    self._ingester().dispatch_message(delivery)
                except Killed:
                    self._forget_the_dead()
                else:
                    self.ranges.delete([delivery.receipt])
            if not self.ranges.depth().visible:
                self.world.clock.advance(VISIBILITY_S)

    def _ingester(self) -> Ingester:
        wired, folder, world = self.wire.wired, self._folder, self.world
        ledger = wired("ledger", world.ledger)
        dispatcher = Dispatcher(
            workloads=wired("workloads", FolderStore(folder)),
            results=wired("results", FolderStore(folder / "results")),
            jobs=ledger,
            queue=wired("tasks", world.tasks),
            clock=world.clock,
        )
        return Ingester(dispatcher, ledger, wired("ranges", self.ranges), "workloads")

    def _forget_the_dead(self) -> None:
        self.killed += 1
        self.wire = Tripwire()


def sent(world: WorkerWorld) -> list[Bundle]:
    """Every bundle that is on the queue, copies included."""
    return [decode_bundle(message.body) for message in world.tasks._messages.values()]


def by_key(bundles: list[Bundle]) -> dict[BundleKey, Bundle]:
    """Bundles by their keys; fails if two of one key differ in more than when they were sent and sealed."""
    found: dict[BundleKey, Bundle] = {}
    for bundle in bundles:
        timeless = replace(bundle, sent_ms=0, seal=None)
        assert found.setdefault(bundle.key, timeless) == timeless, f"{bundle.key} was cut in two ways"
    return found


def reports(world: WorkerWorld, job: Job) -> list[RangeReport]:
    return [replace(report, started_ms=0, ended_ms=0) for report in world.ledger.dispatched(job.id)]


OPENING = ("workloads.size_bytes", "workloads.read", "ledger.open", "ledger.dispatched")
RANGE = ("ledger.job", "ledger.is_dispatched", "workloads.read", *["tasks.send"] * 3, "results.write")
CALLS = {
    SMALL: [*OPENING, "workloads.read", *["tasks.send"] * 5, "results.write", "ledger.record_range"],
    LARGE: [*OPENING, "ranges.send", *RANGE, "ledger.record_range", *RANGE, "ledger.record_range"],
}
CASES = [
    pytest.param(source, point, id=f"{source.key} {point}")
    for source, calls in CALLS.items()
    for point in points(calls)
]


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> dict[Source, tuple[dict[BundleKey, Bundle], list[RangeReport]]]:
    """The bundles and the ranges' rows of dispatches that were left alone."""
    found = {}
    for source, calls in CALLS.items():
        stage = Stage(folder)
        job = stage.drop(source)
        stage.dispatch()
        assert stage.wire.calls == calls
        found[source] = by_key(sent(stage.world)), reports(stage.world, job)
    return found


@pytest.mark.parametrize(("source", "point"), CASES)
def test_a_lambda_that_is_killed_is_retried(
    folder: Path,
    undisturbed: dict[Source, tuple[dict[BundleKey, Bundle], list[RangeReport]]],
    source: Source,
    point: Point,
) -> None:
    """Wherever a function dies, its retry sends the same bundles and writes the same rows; every task runs once."""
    stage = Stage(folder, point)
    job = stage.drop(source)
    stage.dispatch()
    assert stage.killed == 1
    assert stage.drop(source) == job
    assert stage.ranges.depth() == EMPTY, "the event came twice, and a dispatched range was sent again"
    world = stage.world
    assert (by_key(sent(world)), reports(world, job)) == undisturbed[source]
    world.end_well(job.id)
    assert dict(world.runs) == {str(number): 1 for number in range(TASKS)}
    rejects = sorted((folder / "results/rejects" / job.id).iterdir())
    assert len([json.loads(line) for path in rejects for line in path.read_text("utf-8").splitlines()]) == 2
