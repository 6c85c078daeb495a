"""Writes the results of a job's bundles to a file, and reads them back in the order of the workload.

The ledger gives a job's rows in no particular order. Memory holds some hundred bytes a bundle, however long the errors
and values of its tasks are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.packed_results import pack_results, unpack_results
from cloudkon.ledger.results import TaskResult


@dataclass(frozen=True, slots=True, order=True)
class _SpooledBundle:
    """Where a bundle's results are in the file; sorts in the order of the workload."""

    range: int
    number: int
    offset: int
    size_bytes: int
    lines: str
    event_ms: int
    owners: tuple[str, ...]


class Spool:
    """The results of a job's bundles, by range."""

    def __init__(self, file: IO[bytes], rows: Iterable[BundleRow]) -> None:
        self._file = file
        self._ranges: dict[int, list[_SpooledBundle]] = {}
        offset = 0
        for row in rows:
            packed = pack_results(row.results, row.event_ms)
            bundle = _SpooledBundle(
                row.key.range, row.key.number, offset, len(packed), str(row.lines), row.event_ms, row.owners
            )
            self._ranges.setdefault(bundle.range, []).append(bundle)
            self._file.write(packed)
            offset += len(packed)

    @property
    def ranges(self) -> frozenset[int]:
        return frozenset(self._ranges)

    def results(self, range_: int) -> Iterator[tuple[int, TaskResult, tuple[str, ...]]]:
        """A range's final results in their order, each with its line number and its bundle's owners by attempt."""
        for bundle in sorted(self._ranges.get(range_, ())):
            self._file.seek(bundle.offset)
            results = unpack_results(self._file.read(bundle.size_bytes), bundle.event_ms)
            for line, result in zip(LineNumbers.parse(bundle.lines), results, strict=True):
                if result is not None and result.is_final:
                    yield line, result, bundle.owners
