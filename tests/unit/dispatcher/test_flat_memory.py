"""The memory of the dispatcher does not grow with the workload: a stream of lines that no file holds."""

import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from cloudkon.ledger.job import Source
from cloudkon.local.ledger import SqliteLedger
from cloudkon.workload.templates.form import Form
from dispatcher.dispatch import Dispatcher
from tests.support.manual_clock import ManualClock

_LINES_A_CHUNK = 4_096
_LINE_BYTES = 15


class Endless:
    """A store of one object: so many lines of the same length, made when they are read; writes are thrown away."""

    def __init__(self, lines: int) -> None:
        self._lines = lines

    def size_bytes(self, key: str, version: str | None = None) -> int:
        return self._lines * _LINE_BYTES

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        line, offset = divmod(start, _LINE_BYTES)
        while line < self._lines:
            last = min(line + _LINES_A_CHUNK, self._lines)
            chunk = b"".join(b"sleep %08d\n" % number for number in range(line, last))
            yield chunk[offset:]
            line, offset = last, 0

    def write(self, key: str, data: bytes) -> None: ...


class Counting:
    """A queue that counts what is sent, and keeps none of it."""

    def __init__(self) -> None:
        self.messages = 0

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        self.messages += len(bodies)
        return ()


def peak_bytes(lines: int, form: Form | None = None) -> int:
    """The most memory that Python held while so many lines were dispatched."""
    queue: Any = Counting()
    store: Any = Endless(lines)
    ledger = SqliteLedger(None, guard_ms=2_000)
    dispatcher = Dispatcher(store, store, ledger, queue, ManualClock())
    job = dispatcher.open(Source("workloads", "endless.txt", "v1", 0, pinned=False), form=form)
    tracemalloc.start()
    try:
        dispatcher.dispatch(job)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(report.tasks for report in ledger.dispatched(job.id)) == lines
    assert queue.messages == sum(report.bundles for report in ledger.dispatched(job.id))
    ledger.close()
    return peak


@pytest.mark.parametrize("form", [Form(each="exec ls {} {#}"), Form(task="t", separator=" ")])
def test_memory_does_not_grow_with_a_list_of_values(form: Form) -> None:
    """Values take no more memory than tasks do, however many there are."""
    small, large = peak_bytes(2_000, form), peak_bytes(20_000, form)
    assert large < 1.5 * small + 1_000_000


@pytest.mark.parametrize("lines", [150_000])
def test_memory_does_not_grow_with_the_workload(lines: int) -> None:
    """A workload takes no more memory than one of a thirtieth of its lines."""
    small, large = peak_bytes(lines // 30), peak_bytes(lines)
    assert large < 1.5 * small + 1_000_000
