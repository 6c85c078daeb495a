"""Converts line numbers within a range into line numbers of the whole workload."""

from collections.abc import Sequence
from itertools import accumulate

from cloudkon.ledger.job import RangeReport


class LineOffsets:
    """Knows how many lines stand before each range, as far as the ranges before it have been dispatched."""

    def __init__(self, reports: Sequence[RangeReport]) -> None:
        lines = {report.range: report.lines for report in reports}
        known = [lines[range_] for range_ in range(_unbroken(lines))]
        self._before = list(accumulate(known, initial=0))

    def number(self, range_: int, line: int) -> int | None:
        """The number of a range's line in the whole workload; None as in before."""
        before = self.before(range_)
        return None if before is None else before + line

    def before(self, range_: int) -> int | None:
        """How many lines stand before a range; None while an earlier range is still to be dispatched."""
        return self._before[range_] if range_ < len(self._before) else None


def _unbroken(ranges: dict[int, int]) -> int:
    """Count the ranges from the first on that are there without a gap."""
    return next(range_ for range_ in range(len(ranges) + 1) if range_ not in ranges)
