"""Executor, as concurrent.futures describes executors."""

import concurrent.futures
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudkon import Client, Executor, TaskError
from cloudkon.errors import InputError

BEGUN, OPENED = threading.Event(), threading.Event()


def power(x: int, y: int = 2) -> int:
    return int(x**y)


def fails(x: int) -> int:
    raise ValueError(f"not {x}")


def waits(x: int) -> int:
    BEGUN.set()
    assert OPENED.wait(60)
    return x


@pytest.fixture(autouse=True)
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    BEGUN.clear()
    OPENED.clear()
    yield
    OPENED.set()
    assert list(tmp_path.glob("cloudkon-client-*")) == []


def test_calls_come_back_as_futures() -> None:
    """Each call has its own future, with its value; arguments travel by place and by name."""
    with Executor(2) as executor:
        futures = [executor.submit(power, x, y=3) for x in range(30)]
        done, _ = concurrent.futures.wait(futures)
    assert len(done) == 30
    assert [future.result() for future in futures] == [x**3 for x in range(30)]


def test_a_failed_call_has_its_error() -> None:
    """A future's exception is a TaskError with the text of what was raised; other calls are not touched by it."""
    with Executor(2) as executor:
        bad, good = executor.submit(fails, 3), executor.submit(power, 3)
        assert isinstance(bad.exception(), TaskError)
        assert str(bad.exception()).startswith("ValueError: not 3")
        assert good.result() == 9


def test_a_call_that_cant_travel_is_refused_at_once() -> None:
    """What has no name, and what JSON can't carry, is refused by submit itself."""
    with Executor(1) as executor:
        with pytest.raises(InputError, match="A lambda"):
            executor.submit(lambda: 1)
        with pytest.raises(InputError, match="power, argument y: JSON can't carry"):
            executor.submit(power, 1, y={1})  # type: ignore[arg-type]


def test_a_map_is_one_job_in_order() -> None:
    """map yields in the order of the items, with its timeout and its chunks."""
    with Executor(2) as executor:
        assert list(executor.map(power, range(50), chunksize=10, timeout=60)) == [x * x for x in range(50)]
        values = executor.map(waits, [1], timeout=0)
        with pytest.raises(TimeoutError):
            next(values)
        OPENED.set()


def test_the_end_of_the_block_waits_for_all_calls() -> None:
    """Leaving the block waits, and then nothing is taken any more."""
    with Executor(1) as executor:
        future = executor.submit(waits, 5)
        assert BEGUN.wait(60)
        OPENED.set()
    assert future.done()
    assert future.result() == 5
    with pytest.raises(RuntimeError, match="is shut down"):
        executor.submit(power, 1)
    with pytest.raises(RuntimeError, match="is shut down"):
        executor.map(power, [1])


def test_a_shutdown_that_cancels_leaves_no_future_open() -> None:
    """Calls that run are finished, the others are cancelled, and every future is done."""
    executor = Executor(1)
    first = executor.submit(waits, 1)
    assert BEGUN.wait(60)
    later = [executor.submit(power, x) for x in range(20)]
    executor.shutdown(wait=False, cancel_futures=True)
    OPENED.set()
    executor.shutdown(wait=True)
    assert first.result() == 1
    assert {type(future.exception()) if not future.cancelled() else None for future in later} <= {
        None,
        concurrent.futures.CancelledError,
    }
    assert all(future.done() for future in later)


def test_an_unused_executor_ends_at_once() -> None:
    """An executor that was asked for nothing has started nothing."""
    before = set(threading.enumerate())
    with Executor(2):
        assert set(threading.enumerate()) <= before


def test_a_client_lends_its_workers(tmp_path: Path) -> None:
    """Over a client, calls are jobs of the client's record, and the client stays open."""
    with Client(ledger=tmp_path / "ledger.sqlite3", threads=1) as client:
        with Executor(client=client) as executor:
            assert executor.submit(power, 4).result() == 16
        assert list(client.map(power, [5])) == [25]
        assert len(client.backend.ledger.recent(10)) == 2
        with pytest.raises(InputError, match="brings its own workers"):
            Executor(2, client=client)
