import asyncio
import concurrent.futures
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudkon import Permanent, TimedOutError, task
from cloudkon.errors import InputError
from cloudkon.handlers.deadline import deadline
from cloudkon.handlers.registry import Handling, Registry
from cloudkon.workload.task_line import parse_task


def run(handler: Callable[..., Any], line: str = "t") -> Any:
    return Registry([task("t")(handler)]).run(parse_task(line))


async def waited(word: str = "done") -> str:
    await asyncio.sleep(0)
    return word


class Later:
    def __await__(self) -> Iterator[Any]:
        return waited("later").__await__()


class Called:
    async def __call__(self) -> str:
        return await waited("called")


def future() -> concurrent.futures.Future[str]:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: "future")


@functools.wraps(waited)
def wrapped(*args: Any) -> Awaitable[str]:
    return waited(*args)


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (waited, "done"),
        (wrapped, "done"),
        (functools.partial(waited, "partial"), "partial"),
        (Called(), "called"),
        (Later, "later"),
        (future, "future"),
        (lambda: waited("lambda"), "lambda"),
    ],
    ids=["async def", "decorated", "partial", "object", "awaitable", "future", "lambda"],
)
def test_what_is_async_runs(handler: Callable[..., Any], expected: str) -> None:
    """Whatever has to be awaited is awaited, and what it comes to is the value."""
    assert run(handler) == expected


def test_each_task_has_a_loop_of_its_own() -> None:
    """A task that an async handler leaves behind is cancelled with the handler's end, before the next one begins."""
    left: list[asyncio.Task[None]] = []

    async def leaves() -> int:
        left.append(asyncio.create_task(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        return len(left)

    assert run(leaves) == 1
    assert left[0].cancelled()


def test_an_async_handler_is_cancelled_when_its_time_is_over() -> None:
    """Its clean-up runs, and the task has timed out."""
    seen = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    with deadline(0.01), pytest.raises(TimedOutError):
        run(endless)
    assert seen == ["cleaned up"]


def test_a_timeout_of_the_handlers_own_is_its_own_error() -> None:
    """A TimeoutError that an async handler raises is not the task's timeout."""

    async def impatient() -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with deadline(100), pytest.raises(TimeoutError):
        run(impatient)


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


class Yields:
    def __call__(self) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize(
    "handler", [generator, async_generator, functools.partial(generator), Yields()], ids=lambda one: type(one).__name__
)
def test_what_yields_is_refused_when_it_is_marked(handler: Callable[..., Any]) -> None:
    """A function whose body would never run is refused at once, with what to do."""
    with pytest.raises(InputError, match=r"@task\('t'\): .* can't be a handler: it yields, .*: let it return a list"):
        task("t")(handler)


def test_a_child_that_the_handler_forks_ends_with_it(tmp_path: Path) -> None:
    """A child of os.fork that returns from the handler, or raises, ends; it never runs what comes after the handler."""
    seen = tmp_path / "seen"

    def forks(how: str) -> int:
        child = os.fork()
        if child == 0 and how == "raises":
            raise KeyError
        return child

    registry = Registry([task("t")(forks)])
    for how, code in (("returns", 0), ("raises", 1)):
        child = registry.run(parse_task(f"t {how}"))
        with seen.open("a") as file:
            file.write(f"{child}\n")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code
    assert len(seen.read_text().splitlines()) == 2


def test_the_name_is_the_functions_own_or_the_one_given() -> None:
    """@task stands bare, with brackets, and with a name; a function may have several."""

    @task
    def bare() -> int:
        return 1

    @task()
    def brackets() -> int:
        return 2

    @task("b", retries=5)
    @task("a", timeout_s=3)
    def named() -> int:
        return 3

    registry = Registry([bare, brackets, named])
    assert registry.names == ("a", "b", "bare", "brackets")
    assert [registry.run(parse_task(name)) for name in registry.names] == [3, 3, 1, 2]
    assert registry.find(parse_task("b")).handling == Handling("b", retries=5)
    assert bare() == 1


@pytest.mark.parametrize("name", ["", "two words", "bell\a"])
def test_a_name_is_one_word(name: str) -> None:
    """What could not begin a line is no name."""
    with pytest.raises(InputError, match="one word is needed"):
        task(name)(generator.__class__)


def test_a_lambda_needs_a_name() -> None:
    """A function without a name of its own is refused where it is marked bare."""
    with pytest.raises(InputError, match="'<lambda>' can't be a task's name"):
        task(lambda: 1)


def test_handlers_in_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Static and class methods of a module's classes are found; a method that needs an object says how."""
    text = "from cloudkon import task\n\n\nclass Tasks:\n"
    text += "    @staticmethod\n    @task('s')\n    def s(n: int): return n\n\n"
    text += "    @task('d')\n    @staticmethod\n    def d(n: int): return 2 * n\n\n"
    text += "    @classmethod\n    @task('c')\n    def c(cls, n: int): return cls.__name__, n\n"
    (tmp_path / "with_class.py").write_text(text)
    (tmp_path / "with_method.py").write_text(
        "from cloudkon import task\nclass T:\n    @task('m')\n    def m(self): pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    registry.load("with_class")
    assert [registry.run(parse_task(f"{name} 3")) for name in registry.names] == [("Tasks", 3), 6, 3]
    with pytest.raises(InputError, match=r'T\.m: a method needs an object.* m = task\("m"\)\(T\(\)\.m\)'):
        registry.load("with_method")


def test_the_names_an_author_needs() -> None:
    """Everything in __all__ can be imported from cloudkon, and context is the function."""
    import cloudkon  # noqa: PLC0415 (each name is asked for anew)

    assert {name: getattr(cloudkon, name) for name in cloudkon.__all__}
    assert cloudkon.context.__name__ == "context"
    assert callable(cloudkon.context)
    assert cloudkon.__version__[0].isdigit()
    assert issubclass(cloudkon.Permanent, Permanent)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cloudkon.nothing  # type: ignore[attr-defined]  # noqa: B018
    assert set(cloudkon.__all__) <= set(dir(cloudkon))
