"""Reading in blocks gives what reading line by line gives: the same lines, bundles and rejects, so the same ids."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloudkon.ledger.job import Job
from cloudkon.workload import lines as lines_module
from cloudkon.workload.lines import BadLine, Block, Line, one_by_one, read_blocks, read_lines
from cloudkon.workload.packing import pack_bundles
from cloudkon.workload.task_line import MAX_LINE_BYTES
from dispatcher import ranges
from dispatcher.ranges import Workload, range_blocks, range_lines
from tests.support.data.line_by_line import lines_one_by_one, packed_one_by_one
from tests.support.data.rows import job

SEEDS = range(40)
_ODD = [
    *(b"", b" ", b"\t", b"  # no comment", b"# comment", b"#cloudkon: bundle=3 nonsense=1", b"#cloudkon: retries=x"),
    *(b'{"task": "sleep", "args": [1]}', b' {"task": 1}', b"{broken", b"{", b"}", b"|{", b"z{}"),
    *(
        b'say "two words"',
        b"it's",
        b"back\\slash",
        b"tab\tin it",
        b"bell\x07",
        b"\x00",
        b"del\x7f",
        b"\r",
        b"a\r",
        b"a\rb",
    ),
    *("größe 1".encode(), "🚀".encode(), "\u2028x".encode(), b"\xff\xfe", b"\xef\xbb\xbfsleep 1", b"\xc3"),
    *(b" leading", b"trailing ", b"two  blanks", b"!", b"~", b"$x", b"(", b"-", b"@"),
]


def workload(dice: random.Random) -> bytes:
    """Lines of all kinds, in runs: blocks begin and end everywhere."""
    lines: list[bytes] = []
    odd = dice.sample(_ODD, dice.choice([1, 2, len(_ODD)]))
    while len(lines) < dice.randrange(1, 400):
        kind = dice.random()
        if kind < 0.55:
            lines += [b"sleep %d" % dice.randrange(10 ** dice.randrange(1, 6)) for _ in range(dice.randrange(1, 90))]
        elif kind < 0.97:
            lines.append(dice.choice(odd))
        elif kind < 0.985:
            lines.append(b"long " + b"x" * dice.randrange(30_000, 70_000))
        else:
            lines.append(b"y" * dice.choice([MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 500_000]))
    ending = dice.choice([b"\n", b"\n", b"\n", b"\r\n"])
    start = dice.choice([b"", b"", b"\xef\xbb\xbf", b"\n"])
    return start + ending.join(lines) + dice.choice([b"", ending, ending * 2, b"\n\r"])


def chunks(data: bytes, dice: random.Random) -> list[bytes]:
    """The bytes in pieces of odd sizes, some of them empty."""
    most = dice.choice([1_000, 5_000, 70_000, 300_000, 2_000_000])
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(1 + len(data) // most)) if data else []
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.fixture(params=[100, 2_000, 32 * 1024], autouse=True)
def part_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, so that there are blocks between odd lines, and those that there really are."""
    monkeypatch.setattr(lines_module, "_PART_BYTES", request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_hold_the_same_lines(seed: int) -> None:
    """Line by line and in blocks, whatever the chunks: the same numbers, texts, offsets and reasons."""
    dice = random.Random(seed)
    data, start, first = workload(dice), dice.choice([0, 0, 17]), dice.choice([0, 1])
    expected = list(lines_one_by_one(chunks(data, dice), start, first))
    assert list(read_lines(chunks(data, dice), start, first)) == expected
    blocks = [each for each in read_blocks(chunks(data, dice), start, first) if isinstance(each, Block)]
    assert all(list(block.lines())[-1].number == block.last_number for block in blocks)


@pytest.mark.parametrize("seed", SEEDS)
def test_bundles_and_rejects_are_the_same(seed: int) -> None:
    """However many tasks make a bundle, each bundle and each reject is what it was, in the same order."""
    dice = random.Random(f"pack {seed}")
    data, size = workload(dice), dice.choice([1, 2, 3, 7, 64])
    has_header = dice.random() < 0.7
    expected = list(packed_one_by_one(lines_one_by_one([data]), size, has_header=has_header))
    found = list(pack_bundles(read_blocks(chunks(data, dice)), size, has_header=has_header))
    assert found == expected


@pytest.mark.parametrize("odd", _ODD, ids=repr)
def test_each_kind_of_odd_line_among_plain_ones_stays_what_it_was(odd: bytes) -> None:
    """A line that is no plain task is never taken for one, and a header after a task is none."""
    for data in ((b"sleep 1\n" * 5 + odd + b"\n") * 8, (odd + b"\n") * 9 + b"sleep 1", b"sleep 1\n" + odd):
        expected = list(packed_one_by_one(lines_one_by_one([data]), 7, has_header=True))
        assert list(pack_bundles(read_blocks([data]), 7, has_header=True)) == expected


def test_a_bundle_of_long_lines_is_cut_where_it_was() -> None:
    """The bytes of a bundle are bounded among the lines of a block as among others."""
    data = (b"x" * 30_000 + b"\n") * 40 + (b"s 1\n" * 100 + b"x" * 20_000 + b"\n") * 30
    expected = list(packed_one_by_one(lines_one_by_one([data]), 64, has_header=True))
    assert list(pack_bundles(read_blocks([data]), 64, has_header=True)) == expected
    assert len(expected) > 4


class InMemory:
    """A store of one object, read in odd chunks."""

    def __init__(self, data: bytes, dice: random.Random) -> None:
        self._data, self._dice = data, dice

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        yield from chunks(self._data[start:], self._dice)


@pytest.mark.parametrize("range_bytes", [97, 1_000, 40_000])
@pytest.mark.parametrize("seed", range(12))
def test_every_line_is_in_exactly_one_range(monkeypatch: pytest.MonkeyPatch, seed: int, range_bytes: int) -> None:
    """Ranges cut the workload anywhere, within blocks too: together they have all lines, each once, as a whole has."""
    monkeypatch.setattr(ranges, "RANGE_BYTES", range_bytes)
    dice = random.Random(f"range {seed}")
    data = workload(dice)
    store: Any = InMemory(data, dice)
    count = max(1, -(-len(data) // range_bytes))
    the_job: Job = replace(job(), ranges=count)
    whole = list(lines_one_by_one([data]))
    found: list[Line | BadLine] = []
    for number in range(count):
        part = list(range_lines(Workload(store, the_job.source), the_job, number))
        assert [line.number for line in part] == list(range(1, len(part) + 1))
        assert part == list(one_by_one(range_blocks(Workload(store, the_job.source), the_job, number)))
        found += part
    assert [(line.end, getattr(line, "text", None)) for line in found] == [
        (line.end, getattr(line, "text", None)) for line in whole
    ]


def test_plain_lines_come_in_blocks() -> None:
    """What blocks are for: thousands of plain lines are read as a few blocks, and one odd line spoils one part only."""
    data = b"sleep 1\n" * 50_000 + b'say "hello"\n' + b"sleep 1\n" * 50_000
    items = list(read_blocks([data]))
    blocks = [item for item in items if isinstance(item, Block)]
    assert sum(len(block.texts) for block in blocks) > 95_000
    assert len(items) < 9_000
    assert all(len("\n".join(block.texts)) <= lines_module._PART_BYTES for block in blocks)
