"""Puts rows aside in a file and gives their results back in the order of the workload.

The ledger gives a job's rows in no particular order; here they take some hundred bytes of memory a bundle, whatever
their tasks said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.results import TaskResult, pack, unpack


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a row's results are in the file; sorts in the order of the workload."""

    range: int
    number: int
    offset: int
    size_bytes: int
    lines: str
    event_ms: int


class Shelf:
    """The results of a job's rows, by range."""

    def __init__(self, file: IO[bytes], rows: Iterable[BundleRow]) -> None:
        self._file = file
        self._ranges: dict[int, list[_Place]] = {}
        offset = 0
        for row in rows:
            packed = pack(row.results, row.event_ms)
            place = _Place(row.key.range, row.key.number, offset, len(packed), str(row.lines), row.event_ms)
            self._ranges.setdefault(place.range, []).append(place)
            self._file.write(packed)
            offset += len(packed)

    @property
    def ranges(self) -> frozenset[int]:
        return frozenset(self._ranges)

    def results(self, range_: int) -> Iterator[tuple[int, TaskResult]]:
        """A range's results with their line numbers within it, in their order."""
        for place in sorted(self._ranges.get(range_, ())):
            self._file.seek(place.offset)
            results = unpack(self._file.read(place.size_bytes), place.event_ms)
            for line, result in zip(LineNumbers.parse(place.lines), results, strict=True):
                if result is not None and result.is_final:
                    yield line, result
