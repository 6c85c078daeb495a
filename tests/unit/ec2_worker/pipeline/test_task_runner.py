"""Whatever a task does is that task's result: its slot, its worker and its neighbours go on."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudkon.handlers.registry import Permanent, task
from cloudkon.ledger.results import TaskState
from cloudkon.settings import Settings
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld

OWN = Settings(retries=0, lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)


def dies(*_: object) -> Any:
    raise SystemExit(3)


class ExitsInStrError(Exception):
    __str__ = dies


class ExitsInReprError(Exception):
    __repr__ = dies

    def __str__(self) -> str:
        return repr(self)


class ExitsInFormatError(ValueError):
    """Its message is a string whose methods exit."""

    class Text(str):
        __slots__ = ()
        __format__ = __getitem__ = __add__ = encode = dies  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.Text("odd")


class PermanentThatExits(Permanent):
    __str__ = dies


class ExitsWhenIterated(dict[str, Any]):
    items = keys = values = __iter__ = dies


class ExitsAsNumber(float):
    __repr__ = __float__ = dies


def recursive() -> Any:
    return recursive()


def raising(error: Callable[[], BaseException]) -> Callable[[], Any]:
    def raise_it() -> Any:
        raise error()

    return raise_it


ESCAPES = [
    raising(lambda: SystemExit(3)),
    raising(KeyboardInterrupt),
    raising(GeneratorExit),
    raising(asyncio.CancelledError),
    raising(MemoryError),
    raising(StopIteration),
    raising(lambda: BaseException("bare")),
    raising(lambda: BaseExceptionGroup("both", [SystemExit(1), KeyboardInterrupt()])),
    raising(ExitsInStrError),
    raising(ExitsInReprError),
    raising(ExitsInFormatError),
    raising(PermanentThatExits),
    recursive,
]


@pytest.fixture
def world() -> Iterator[WorkerWorld]:
    world = WorkerWorld(OWN)
    yield world
    world.ledger.close()


@pytest.mark.parametrize("timeout_s", [None, 30.0], ids=["without a timeout", "with a timeout"])
@pytest.mark.parametrize("escape", ESCAPES)
def test_whatever_escapes_from_a_task_is_its_failure(
    world: WorkerWorld, escape: Callable[[], Any], timeout_s: float | None
) -> None:
    """It fails, with as much of the error's text as can be had; its neighbours succeed, and nobody waits for it."""

    @task("odd")
    def odd() -> Any:
        return escape()

    world.handlers.append(odd)
    world.send("note a", "odd", "note b", timeout_s=timeout_s)
    machine = SteppedWorker(world)
    machine.work()
    states = [result.state for result in world.results()]
    assert states == [TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SUCCEEDED]
    error = world.results()[1].error
    assert error
    assert type(error) is str
    assert not machine.worker.watchdog.timeouts.take_overdue(float("inf"))


@pytest.mark.parametrize(
    "make",
    [lambda: ExitsWhenIterated(a=1), lambda: ExitsAsNumber(1.0), lambda: [ExitsWhenIterated(a=1)]],
    ids=["a dict", "a number", "a list"],
)
def test_whatever_a_value_does_ends_no_worker(world: WorkerWorld, make: Callable[[], object]) -> None:
    """A value whose own methods exit is no JSON; its task and its neighbours have their results."""

    @task("odd")
    def odd() -> Any:
        return make()

    world.handlers.append(odd)
    world.send("note a", "odd", "note b")
    SteppedWorker(world).work()
    states = [result.state for result in world.results()]
    assert (states[0], states[2]) == (TaskState.SUCCEEDED, TaskState.SUCCEEDED)
    assert states[1] in {TaskState.SUCCEEDED, TaskState.FAILED}


def test_what_the_runner_itself_stumbles_over_is_the_tasks_failure(
    world: WorkerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception before or after the handler's own call ends no slot either."""
    world.send("note a")
    machine = SteppedWorker(world)
    monkeypatch.setattr("ec2_worker.pipeline.task_runner.parse_task", lambda _: recursive())
    machine.work()
    (result,) = world.results()
    assert (result.state, (result.error or "")[:14]) == (TaskState.FAILED, "RecursionError")
