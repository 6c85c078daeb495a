"""The plan of a job leans on what earlier jobs have taught about its tasks, and stands from then on."""

import pytest

from cloudkon.clock import SystemClock
from cloudkon.ledger.job import Source
from cloudkon.ledger.task_times import TaskTime
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from dispatcher.dispatch import Dispatcher


@pytest.fixture
def dispatcher(tmp_path: object) -> Dispatcher:
    clock, store = SystemClock(), FolderStore(tmp_path)  # type: ignore[arg-type]
    return Dispatcher(store, store, SqliteLedger(None, guard_ms=0), MemoryQueue(clock), clock)


def opened(dispatcher: Dispatcher, text: str, version: str = "1") -> int:
    dispatcher.results.write("tasks.txt", text.encode())
    return dispatcher.open(Source("b", "tasks.txt", version, 0, pinned=False)).bundle_size


def test_a_new_job_is_cut_by_the_time_that_was_learnt(dispatcher: Dispatcher) -> None:
    """Carefully at first; once tasks of 10 ms are known, in bundles of 100 ms for four slots."""
    text = "sleep 10\n" * 3_200
    assert opened(dispatcher, text, "1") == 4
    dispatcher.jobs.learn_task_time(TaskTime("sleep", 10.0, 1))
    assert opened(dispatcher, text, "2") == 40


def test_a_plan_that_stands_is_not_changed_by_what_is_learnt(dispatcher: Dispatcher) -> None:
    """A second dispatch of a job sends the bundles that the first has sent."""
    text = "sleep 10\n" * 3_200
    assert opened(dispatcher, text) == 4
    dispatcher.jobs.learn_task_time(TaskTime("sleep", 10.0, 1))
    assert opened(dispatcher, text) == 4


@pytest.mark.parametrize(("header", "size"), [("bundle=5", 5), ("task_ms=1000", 2)])
def test_a_header_asks_nobody(dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch, header: str, size: int) -> None:
    """What a person wrote counts, and no call is made for what was learnt."""
    monkeypatch.setattr(dispatcher.jobs, "task_time", None)  # whoever asks fails
    assert opened(dispatcher, f"#cloudkon: {header}\n" + "sleep 10\n" * 3_200) == size
