"""What a handler learns of its task, and where its files go; and what becomes of both in the task's result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudkon.errors import InputError
from cloudkon.handlers.context import Context, context
from cloudkon.handlers.registry import Permanent, task
from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.results import MAX_VALUE_BYTES, TaskResult
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from tests.support.worlds.worker_world import JOB, SteppedWorker, WorkerWorld


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def read(store: FolderStore, key: str) -> bytes:
    return b"".join(store.read(key))


def test_there_is_none_outside_of_a_task() -> None:
    """A function that is no handler's asks in vain, also after a task of the same thread."""
    with pytest.raises(RuntimeError, match="no worker runs a task here"):
        context()


def test_runs_never_share_a_key(store: FolderStore) -> None:
    """Another attempt, bundle or task of it writes elsewhere under the same name."""
    keys = {
        Context(BundleKey(job, range_, number), attempt, index, store).store("video.mp4", b"x")
        for job in ("a", "b")
        for range_ in (0, 1)
        for number in (0, 1)
        for attempt in (1, 11)
        for index in (0, 1)
    }
    assert len(keys) == 32
    assert Context(BundleKey("a", 2, 3), 4, 5, store).store("v.mp4", b"") == "outputs/a/00002.000003/4/5/v.mp4"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../video.mp4", "a/../../b", "a//b", "./a", "a\nb", "x" * 201])
def test_a_name_stays_below_the_key(store: FolderStore, name: str) -> None:
    """A name that would lead out of the run's own place is refused."""
    with pytest.raises(InputError, match="can't be an output's name"):
        Context(BundleKey("a", 0, 0), 1, 0, store).store(name, b"x")


def test_stages_add_up_without_overlap(store: FolderStore) -> None:
    """A stage within another interrupts it; those of one name are one; what lies outside of any is nobody's."""
    ticks = iter(float(second) for second in (0, 1, 3, 10, 100, 1000, 1500))
    here = Context(BundleKey("a", 0, 0), 1, 0, store, monotonic_s=lambda: next(ticks))
    assert here.stages_ms == {}
    with here.stage("encode"), here.stage("download"):
        pass  # from 0 to 1 it encodes, until 3 it downloads, until 10 it encodes
    with pytest.raises(ValueError, match="broken"), here.stage("download"):
        raise ValueError("broken")
    assert here.stages_ms == {"encode": 8_000, "download": 902_000}


def test_a_stage_counts_while_it_runs(store: FolderStore) -> None:
    """Whoever asks in the middle of a stage learns what it has taken so far."""
    ticks = iter(float(second) for second in (0, 3, 5))
    here = Context(BundleKey("a", 0, 0), 1, 0, store, monotonic_s=lambda: next(ticks))
    with here.stage("encode"):
        assert here.stages_ms == {"encode": 3_000}
    assert here.stages_ms == {"encode": 5_000}


def test_a_result_has_room_for_so_many_stages(store: FolderStore) -> None:
    """The first seven names are told apart, and what comes after them is counted together: no time is lost."""
    ticks = iter(range(100))
    here = Context(BundleKey("a", 0, 0), 1, 0, store, monotonic_s=lambda: next(ticks))
    for number in (*range(10), 3):
        with here.stage(f"part {number}"):
            pass
    seconds = {f"part {number}": 1_000 for number in range(7)}
    assert here.stages_ms == seconds | {"part 3": 2_000, "other": 3_000}


@pytest.mark.parametrize("name", ["", " ", "a\nb", "größe", "x" * 25])
def test_a_stage_has_a_short_name(store: FolderStore, name: str) -> None:
    """A name that no column could hold is refused before the stage begins."""
    with (
        pytest.raises(InputError, match="can't be a stage's name"),
        Context(BundleKey("a", 0, 0), 1, 0, store).stage(name),
    ):
        pytest.fail("it began")


@task("make")
def make(ending: str) -> object:
    """Leaves two files, and ends in one of several ways."""
    here = context()
    first, second = here.store("a.txt", b"first"), here.store("b.txt", ending.encode())
    assert (here.job, here.bundle, here.outputs) == (JOB, "00000.000000", (first, second))
    if ending == "fail":
        raise Permanent("no")
    return {"much": "x" * MAX_VALUE_BYTES} if ending == "much" else ending


def machine(world: WorkerWorld, name: str, store: FolderStore, *more: Callable[..., Any]) -> SteppedWorker:
    """A worker that knows the handlers and keeps its files in the folder."""
    world.store, world.handlers = store, [make, *more]
    return SteppedWorker(world, name)


def results(world: WorkerWorld) -> list[TaskResult | None]:
    row = world.row()
    return [] if row is None else list(row.results)


def test_a_result_names_what_was_stored_first(store: FolderStore) -> None:
    """The completion holds the key of the first file; a task that fails, or stores nothing, has none."""
    world = WorkerWorld(Settings())
    world.send("make well", "make fail", "make much", "nosuch")
    worker = machine(world, "w", store)
    for _ in range(8):
        worker.step()
    well, failed, much, nosuch = results(world)
    assert well
    assert failed
    assert much
    assert nosuch
    assert (well.output, well.value) == (f"outputs/{JOB}/00000.000000/1/0/a.txt", "well")
    assert (failed.output, nosuch.output) == (None, None)
    assert much.output == f"outputs/{JOB}/00000.000000/1/2/a.txt"
    assert read(store, much.output) == b"first"
    assert len(read(store, much.value["key"])) > MAX_VALUE_BYTES  # too large for the ledger beside an output as well
    with pytest.raises(RuntimeError):
        context()


def test_who_was_fenced_off_leaves_no_link(store: FolderStore) -> None:
    """Of two workers that both made the file, the completion names the one that held the lease, and its bytes."""
    world = WorkerWorld(Settings())
    world.send("make first")
    late, quick = machine(world, "late", store), machine(world, "quick", store)
    late.receive()
    late.run_one()
    world.clock.advance(world.settings.visibility_s + 1)
    quick.receive()
    quick.run_one()
    quick.settle()
    late.settle()
    [result] = results(world)
    assert result
    assert result.output == f"outputs/{JOB}/00000.000000/2/0/a.txt"
    assert read(store, f"outputs/{JOB}/00000.000000/1/0/a.txt") == b"first"


def test_a_result_tells_the_stages_of_its_run(store: FolderStore) -> None:
    """A task's result says where its time went, also if it failed; of one without stages it says nothing."""
    world = WorkerWorld(Settings())

    @task("staged")
    def staged(ending: str) -> None:
        with context().stage("look"):
            world.clock.advance(1.5)
        with context().stage("work"):
            world.clock.advance(0.25)
            if ending == "fail":
                raise Permanent("no")

    world.send("staged well", "staged fail", "make well")
    worker = machine(world, "w", store, staged)
    for _ in range(6):
        worker.step()
    assert [result and result.phases_ms for result in results(world)] == [{"look": 1500.0, "work": 250.0}] * 2 + [None]
    world.collect()
    [record] = world.completions
    assert [each.get("handler_stages_ms") for each in record["tasks"]] == [{"look": 1500.0, "work": 250.0}] * 2 + [None]
