"""The Lambda is killed at every call it makes, and retried; the calls are those of one that was left alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloudkon.bundle import Bundle, BundleKey
from cloudkon.job import Job, RangeReport, Source
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from cloudkon.wire import decode_bundle
from dispatcher.ingest import Dispatcher
from tests.support.small_world import World
from tests.support.tripwire import Killed, Point, Tripwire, points

SETTINGS = Settings()
TASKS = 90
SOURCE = Source("workloads", "tasks.txt", "v1", 1_750_000_000_000, pinned=False)
REPEATED = 3
"""A retry, and an event that comes twice."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workload of two ranges, with a line in each that is no task; most of it is comment."""
    folder = tmp_path_factory.mktemp("workload")
    write_workload(folder)
    return folder


def write_workload(folder: Path) -> None:
    with (folder / SOURCE.key).open("w", encoding="utf-8") as file:
        file.write("#cloudkon: bundle=2\n")
        file.writelines(f"note {number}\n" for number in range(TASKS // 2))
        file.write('note "\n')
        file.writelines("#" * 180_000 + "\n" for _ in range(47))
        file.writelines(f"note {number}\n" for number in range(TASKS // 2, TASKS))
        file.write('note "\n')


def dispatcher(world: World, folder: Path, wire: Tripwire) -> Dispatcher:
    return Dispatcher(
        workloads=wire.wired("workloads", FolderStore(folder)),
        results=wire.wired("results", FolderStore(folder / "results")),
        jobs=wire.wired("ledger", world.ledger),
        queue=wire.wired("tasks", world.tasks),
        clock=world.clock,
    )


def sent(world: World) -> list[Bundle]:
    """Every bundle that is on the queue, copies included."""
    return [decode_bundle(message.body) for message in world.tasks._messages.values()]


def by_key(bundles: list[Bundle]) -> dict[BundleKey, Bundle]:
    """Bundles by their keys; fails if two of one key differ in more than when they were sent."""
    found: dict[BundleKey, Bundle] = {}
    for bundle in bundles:
        timeless = replace(bundle, sent_ms=0)
        assert found.setdefault(bundle.key, timeless) == timeless, f"{bundle.key} was cut in two ways"
    return found


def reports(world: World, job: Job) -> list[RangeReport]:
    return [replace(report, started_ms=0, ended_ms=0) for report in world.ledger.dispatched(job.id)]


CALLS = (
    "workloads.stat",
    "workloads.read",
    "ledger.open",
    "ledger.dispatched",
    "workloads.read",
    *["tasks.send"] * 3,
    "results.write",
    "ledger.record_range",
    "workloads.read",
    *["tasks.send"] * 3,
    "results.write",
    "ledger.record_range",
)
CASES = points(list(CALLS))


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> tuple[dict[BundleKey, Bundle], list[RangeReport]]:
    """The bundles and the ranges' rows of a dispatch that was left alone."""
    world, wire = World(SETTINGS), Tripwire()
    job = dispatcher(world, folder, wire).ingest(SOURCE)
    assert sorted(wire.calls) == sorted(CALLS)
    return by_key(sent(world)), reports(world, job)


@pytest.mark.parametrize("point", CASES, ids=str)
def test_a_lambda_that_is_killed_is_retried(
    folder: Path, undisturbed: tuple[dict[BundleKey, Bundle], list[RangeReport]], point: Point
) -> None:
    """Wherever a Lambda dies, its retry sends the same bundles and writes the same rows; every task runs once."""
    world = World(SETTINGS)
    with pytest.raises(Killed):
        dispatcher(world, folder, Tripwire(point)).ingest(SOURCE)
    for _ in range(REPEATED):
        job = dispatcher(world, folder, Tripwire()).ingest(SOURCE)
    assert (by_key(sent(world)), reports(world, job)) == undisturbed
    world.end_well(job.id)
    assert dict(world.runs) == {str(number): 1 for number in range(TASKS)}
    rejects = [path.read_text("utf-8") for path in sorted((folder / "results").rglob("*")) if path.is_file()]
    assert len([json.loads(line) for text in rejects for line in text.splitlines()]) == 2
