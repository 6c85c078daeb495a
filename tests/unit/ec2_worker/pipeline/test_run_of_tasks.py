"""A slot runs the tasks of an ordinary bundle in one loop, with the fences and the results of one by one."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudkon.handlers.context import Context, context, log_of_task
from cloudkon.handlers.registry import task
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from cloudkon.workload.task_line import parse_task
from ec2_worker.pipeline.in_flight import InFlightState
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

OWN = Settings(retries=0, lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)
MANY = 64


@pytest.fixture
def world() -> Iterator[WorkerWorld]:
    world = WorkerWorld(OWN)
    yield world
    world.ledger.close()


class Slot:
    """One slot of a worker with one bundle, which it runs in one go."""

    def __init__(self, world: WorkerWorld, *lines: str, **options: Any) -> None:
        world.send(*lines, **options)
        self.machine = SteppedWorker(world)
        self.machine.receive()
        (self.bundle,) = self.machine.holds()

    def run(self, most: int = MANY) -> list[TaskResult | None]:
        self.machine.worker.slots.run_next(self.bundle, most)
        return list(self.bundle.results)


def ended(results: list[TaskResult | None]) -> int:
    return sum(result is not None for result in results)


def test_equal_lines_are_parsed_once_for_a_bundle(world: WorkerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four equal lines are read once, and each is run."""
    parsed: list[str] = []

    def parse(line: str) -> Any:
        parsed.append(line)
        return parse_task(line)

    monkeypatch.setattr("ec2_worker.pipeline.task_runner.parse_task", parse)
    slot = Slot(world, *["note a"] * MANY)
    assert ended(slot.run()) == MANY
    assert parsed == ["note a"]
    assert world.runs == {"a": MANY}


@pytest.mark.parametrize("line", ["gather [1,2]", '{"task": "gather", "numbers": [1, 2]}'])
def test_what_a_handler_does_to_its_arguments_is_not_seen_by_the_next(world: WorkerWorld, line: str) -> None:
    """A list that a handler adds to is the list of that run alone, though the lines are equal."""
    seen: list[list[int]] = []

    @task("gather")
    def gather(numbers: list[int]) -> None:
        seen.append(list(numbers))
        numbers.append(3)

    world.handlers.append(gather)
    assert ended(Slot(world, line, line).run()) == 2
    assert seen == [[1, 2], [1, 2]]


def test_each_task_of_a_run_has_a_context_of_its_own_and_none_is_left(world: WorkerWorld) -> None:
    """Tasks that run one after the other in one loop know their own places; after them the thread has none."""
    seen: list[Context] = []

    @task("place")
    def place() -> None:
        seen.append(context())

    world.handlers.append(place)
    Slot(world, "place", "place", "note a").run()
    assert [here.index for here in seen] == [0, 1]
    assert log_of_task() is None


def test_a_value_an_id_a_file_and_a_failure_of_one_run_are_recorded(world: WorkerWorld, tmp_path: Any) -> None:
    """What tasks leave besides their end is recorded of each, among neighbours that leave nothing."""

    @task("tell")
    def tell(what: Any) -> Any:
        if what in {"file", "both"}:
            context().store("a.txt", b"a")
        if what == "failure":
            log = log_of_task()
            assert log is not None
            log.write(f"about {what}")
            raise ValueError("boom")
        return {"value": 7, "both": 8, "large": "x" * 2_000}.get(what)

    world.store = FolderStore(tmp_path)
    world.handlers.append(tell)
    lines = ["note a", "tell value", '{"task": "note", "args": ["b"], "id": "b7"}', "tell file", "tell failure"]
    slot = Slot(world, *lines, "tell large", "tell both", "unknown")
    slot.run()
    slot.machine.settle()
    results = world.results()
    assert [result.value for result in results] == [None, 7, None, None, None, None, 8, None]
    assert [result.id for result in results] == [None, None, "b7", *[None] * 5]
    assert [result.output is not None for result in results] == [False] * 3 + [True, False, True, True, False]
    assert [result.state for result in results][4:] == [
        TaskState.FAILED,
        TaskState.SUCCEEDED,
        TaskState.SUCCEEDED,
        TaskState.REJECTED,
    ]
    assert (results[4].error, (results[4].log or "")[:13]) == ("ValueError: boom", "about failure")


STOPS: dict[str, Callable[[SteppedWorker, WorkerWorld], None]] = {
    "the backlog is closed": lambda machine, _: machine.worker.backlog.close(),
    "the lease may end": lambda _, world: world.clock.advance(OWN.lease_s - OWN.guard_s),
    "the bundle is given back": lambda machine, _: machine.give_back(),
    "the job is cancelled": lambda machine, _: list(machine.holds()[0].remaining).clear(),
}


@pytest.mark.parametrize("stop", STOPS)
def test_no_task_is_begun_after(world: WorkerWorld, stop: str) -> None:
    """Whatever stops a bundle while a task of a run is running, that task ends and no other begins."""
    slots: list[Slot] = []

    @task("stop")
    def halt() -> None:
        STOPS[stop](slots[0].machine, world)

    world.handlers.append(halt)
    slots.append(Slot(world, "note a", "stop", "note b", "note c"))
    assert ended(slots[0].run()) == 2
    assert dict(world.runs) == {"a": 1}


def test_a_lease_that_was_renewed_meanwhile_lets_the_run_go_on(world: WorkerWorld) -> None:
    """A run of tasks looks at the lease as it is, not as it was at the first of them."""
    slots: list[Slot] = []

    @task("renew")
    def renew() -> None:
        world.clock.advance(OWN.lease_s / 2)
        slots[0].machine.keep()

    world.handlers.append(renew)
    slots.append(Slot(world, *["renew"] * 4))
    assert ended(slots[0].run()) == 4
    assert slots[0].bundle.state is InFlightState.SETTLING


def test_times_follow_each_other_and_the_wall_clock_is_read_again_after_a_long_task(world: WorkerWorld) -> None:
    """Each start is the end of the task before; a wall clock that was set during a long task shows from the next on."""

    @task("take")
    def take(seconds: float) -> None:
        world.clock.advance(seconds)
        if seconds > 1:
            world.clock._start_ms += 3_600_000

    world.handlers.append(take)
    results = Slot(world, "take 0.25", "take 0.5", "take 2", "take 0.25").run()
    known = [result for result in results if result is not None]
    first_ms = known[0].start_ms
    assert [result.duration_us for result in known] == [250_000, 500_000, 2_000_000, 250_000]
    assert [result.start_ms - first_ms for result in known] == [0, 250, 750, 3_602_750]


def test_a_plain_task_costs_few_calls(world: WorkerWorld) -> None:
    """From one plain task to the next there are nine calls of Python functions, its handler's among them."""
    slot = Slot(world, *["pass"] * MANY)
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        slot.machine.worker.slots.run_next(slot.bundle, MANY)
    finally:
        sys.setprofile(None)
    assert ended(list(slot.bundle.results)) == MANY
    assert calls <= 9 * MANY + 60
