"""The results of a bundle as columns of numbers: most tasks succeed at their first run and have nothing to say.

Such a *plain* result is four numbers. A bundle of them is stamped, packed, unpacked and counted as a whole, for a tenth
of what a TaskResult for each task costs. Every other result is kept beside the columns as a TaskResult.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import eq
from typing import overload

from cloudkon.ledger.results import Results, TaskResult, TaskState

_NONE, _PLAIN, _OTHER = 0, 1, 2


class ResultColumns(Sequence[TaskResult | None]):
    """Results by the task's place in its bundle; None where there is none yet.

    Any number of threads may set results, each at places of its own: a place's kind is written last, so whoever reads
    meanwhile reads whole results.
    """

    __slots__ = ("_kinds", "_others", "attempts", "durations_us", "recorded_ms", "starts_ms")

    def __init__(self, size: int) -> None:
        self._kinds = bytearray(size)
        self._others: dict[int, TaskResult] = {}
        self.starts_ms = [0] * size
        self.durations_us = [0] * size
        self.attempts = [0] * size
        self.recorded_ms = [0] * size
        """0 where a result is not recorded yet."""

    @classmethod
    def of(cls, results: Results) -> "ResultColumns":
        """Copy results of either form."""
        if isinstance(results, ResultColumns):
            return results.copy()
        columns = cls(len(results))
        for at, result in enumerate(results):
            if result is not None:
                columns[at] = result
        return columns

    @classmethod
    def of_plain(
        cls, starts_ms: list[int], durations_us: list[int], recorded_ms: list[int], attempts: list[int]
    ) -> "ResultColumns":
        """Take over columns of plain results, all of one length."""
        columns = cls(0)
        columns._kinds = bytearray((_PLAIN,)) * len(starts_ms)
        columns.starts_ms, columns.durations_us = starts_ms, durations_us
        columns.recorded_ms, columns.attempts = recorded_ms, attempts
        return columns

    def copy(self) -> "ResultColumns":
        """Copy the results as they are now; later changes of either do not show in the other."""
        copied = ResultColumns(0)
        copied._kinds = self._kinds[:]  # first: what these kinds name is whole
        copied._others = self._others.copy()
        copied.starts_ms, copied.durations_us = self.starts_ms[:], self.durations_us[:]
        copied.attempts, copied.recorded_ms = self.attempts[:], self.recorded_ms[:]
        return copied

    def put_plain(self, at: int, start_ms: int, duration_us: int, attempt: int) -> None:
        """Set a result that succeeded at its first run and has nothing to say."""
        self.starts_ms[at] = start_ms
        self.durations_us[at] = duration_us
        self.attempts[at] = attempt
        self._kinds[at] = _PLAIN

    @property
    def are_plain(self) -> bool:
        """Whether every task has a plain result."""
        return self._kinds.count(_PLAIN) == len(self._kinds)

    @property
    def are_recorded(self) -> bool:
        """Whether every plain result has the time at which it was recorded."""
        return all(self.recorded_ms)

    @property
    def runs(self) -> int:
        return self._kinds.count(_PLAIN) + sum(result.runs for result in self._others.values())

    def busy_us(self, attempt: int) -> int:
        """Add up the durations of the plain results of an attempt."""
        if self.attempts.count(attempt) == len(self):
            return sum(self.durations_us)
        return sum(us for us, of in zip(self.durations_us, self.attempts, strict=True) if of == attempt)

    def stamp(self, now_ms: int) -> None:
        """Give each result that has no time of recording this one."""
        for at, kind in enumerate(self._kinds):
            if kind == _PLAIN:
                self.recorded_ms[at] = self.recorded_ms[at] or now_ms
            elif kind == _OTHER and (result := self._others[at]).recorded_ms is None:
                self._others[at] = replace(result, recorded_ms=now_ms)

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, at: int) -> TaskResult | None: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[TaskResult | None]: ...
    def __getitem__(self, at: int | slice) -> TaskResult | Sequence[TaskResult | None] | None:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        kind = self._kinds[at]
        if kind == _NONE:
            return None
        at = at % len(self)
        return self._others[at] if kind == _OTHER else self._plain(at)

    def __setitem__(self, at: int, result: TaskResult) -> None:
        at = range(len(self))[at]
        if _is_plain(result):
            self.recorded_ms[at] = result.recorded_ms or 0
            self.put_plain(at, result.start_ms, result.duration_us, result.attempt)
        else:
            self._others[at] = result
            self._kinds[at] = _OTHER

    def __iter__(self) -> Iterator[TaskResult | None]:
        return (self[at] for at in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"ResultColumns.of({list(self)!r})"

    def _plain(self, at: int) -> TaskResult:
        return _plain_result(self.starts_ms[at], self.durations_us[at], self.attempts[at], self.recorded_ms[at] or None)


def stamped(results: Results, now_ms: int) -> Results:
    """Give every result that is recorded now for the first time its stamp; the given ones stay as they are."""
    columns = ResultColumns.of(results)
    columns.stamp(now_ms)
    return columns


def frozen(results: Results) -> Results:
    """Copy the results into a form that nobody else changes."""
    return results.copy() if isinstance(results, ResultColumns) else tuple(results)


def runs_of(results: Results) -> int:
    """Count the runs that the results tell of; the count grows with every run, so it measures progress."""
    if isinstance(results, ResultColumns):
        return results.runs
    return sum([result.runs for result in results if result is not None])


def _is_plain(result: TaskResult) -> bool:
    return result == _plain_result(result.start_ms, result.duration_us, result.attempt, result.recorded_ms)


def _plain_result(start_ms: int, duration_us: int, attempt: int, recorded_ms: int | None) -> TaskResult:
    return TaskResult(TaskState.SUCCEEDED, start_ms, duration_us, attempt, recorded_ms=recorded_ms)
