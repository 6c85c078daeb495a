"""The dispatcher's benchmark reads what it says it does: every line once, whatever the ranges."""

import os
from pathlib import Path

import pytest

from bench import packed_dispatcher
from cloudkon.ledger.job import RANGE_BYTES


@pytest.mark.parametrize("start", [0, 1, 13, 70_000, 99_999])
def test_the_generated_object_is_the_same_from_any_byte_on(start: int) -> None:
    """What is read from a byte on is what is there, and it ends where the object does."""
    store = packed_dispatcher.Generated("task {n:08d}", 20_000)
    whole = b"".join(store.read("", None))
    assert len(whole) == store.size_bytes("") == 20_000 * len("task 00000000\n")
    assert b"".join(store.read("", None, start)) == whole[start:]
    assert whole.splitlines()[4_095:4_097] == [b"task 00004095", b"task 00000000"]


def test_every_line_of_several_ranges_is_dispatched_once() -> None:
    """A workload of more than one range is counted as what it has, and the memory is told."""
    line = "x" * 1_000 + " {n:08d}"
    lines = RANGE_BYTES // 1_000 + 10
    figures = packed_dispatcher.main(Path(os.devnull), line, lines, "null")
    assert figures["lines"] == lines
    assert figures["ranges"] == 2
    assert figures["peak_memory_mb"] > 5
