"""The results of a bundle as columns of numbers: most tasks succeed at their first run.

Such a *plain* result is four numbers, and perhaps a value and an id. A bundle of them is stamped, packed, unpacked and
counted as a whole, for a tenth of what a TaskResult for each task costs. Every other result is kept beside the columns
as a TaskResult.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from operator import eq
from typing import Any, overload

from cloudkon.ledger.results import Results, TaskResult, TaskState, is_large

_NONE, _PLAIN, _OTHER = 0, 1, 2


class ResultColumns(Sequence[TaskResult | None]):
    """Results by the task's place in its bundle; None where there is none yet.

    Any number of threads may set results, each at places of its own: a place's kind is written last, so whoever reads
    meanwhile reads whole results.
    """

    __slots__ = ("_kinds", "_others", "attempts", "durations_us", "ids", "recorded_ms", "starts_ms", "values")

    def __init__(self, size: int) -> None:
        self._kinds = bytearray(size)
        self._others: dict[int, TaskResult] = {}
        self.starts_ms = [0] * size
        self.durations_us = [0] * size
        self.attempts = [0] * size
        self.recorded_ms = [0] * size
        """0 where a result is not recorded yet."""
        self.values: dict[int, Any] = {}
        """Of the plain results that have one; JsonText, or what JSON holds, as in a TaskResult."""
        self.ids: dict[int, str] = {}
        """Of the plain results that have one."""

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
        cls,
        starts_ms: list[int],
        durations_us: list[int],
        recorded_ms: list[int],
        attempts: list[int],
        values: Mapping[int, Any],
        ids: Mapping[int, str],
    ) -> "ResultColumns":
        """Take over columns of plain results, all of one length, and what some of them say."""
        columns = cls(0)
        columns._kinds = bytearray((_PLAIN,)) * len(starts_ms)
        columns.starts_ms, columns.durations_us = starts_ms, durations_us
        columns.recorded_ms, columns.attempts = recorded_ms, attempts
        columns.values, columns.ids = dict(values), dict(ids)
        return columns

    def copy(self) -> "ResultColumns":
        """Copy the results as they are now; later changes of either do not show in the other."""
        copied = ResultColumns(0)
        copied._kinds = self._kinds[:]  # first: what these kinds name is whole
        copied._others = self._others.copy()
        copied.starts_ms, copied.durations_us = self.starts_ms[:], self.durations_us[:]
        copied.attempts, copied.recorded_ms = self.attempts[:], self.recorded_ms[:]
        copied.values, copied.ids = self.values.copy(), self.ids.copy()
        return copied

    def put_plain(
        self, at: int, start_ms: int, duration_us: int, attempt: int, value: Any = None, task_id: str | None = None
    ) -> None:
        """Set the result of a task that succeeded at its first run; the place has had none, and the value is small."""
        self.starts_ms[at] = start_ms
        self.durations_us[at] = duration_us
        self.attempts[at] = attempt
        if value is not None:
            self.values[at] = value
        if task_id is not None:
            self.ids[at] = task_id
        self._kinds[at] = _PLAIN

    def others(self) -> list[tuple[int, TaskResult]]:
        """The results that are not plain, by their places."""
        if not self._others:
            return []
        return [(at, self._others[at]) for at, kind in enumerate(self._kinds) if kind == _OTHER]

    def unfinished(self) -> Sequence[int]:
        """The places of tasks that are to be run: they have no result, or one that is not final."""
        if not any(self._kinds):
            return range(len(self))
        kinds = enumerate(self._kinds)
        return [at for at, kind in kinds if kind == _NONE or (kind == _OTHER and not self._others[at].is_final)]

    @property
    def plain(self) -> int:
        """How many results are plain."""
        return self._kinds.count(_PLAIN)

    @property
    def are_plain(self) -> bool:
        """Whether every task has a plain result."""
        return self.plain == len(self._kinds)

    @property
    def are_recorded(self) -> bool:
        """Whether every plain result has the time at which it was recorded."""
        return all(self.recorded_ms)

    @property
    def unrecorded(self) -> int:
        """How many results have no time of recording yet."""
        recorded = len(self.recorded_ms) - self.recorded_ms.count(0)
        return self.plain - recorded + sum(result.recorded_ms is None for _, result in self.others())

    @property
    def runs(self) -> int:
        return self.plain + sum(result.runs for _, result in self.others())

    @property
    def mean_duration_us(self) -> float:
        """The mean duration of the tasks that have a result; there must be one."""
        others = self.others()
        total_us = sum(self.durations_us) + sum(result.duration_us for _, result in others)
        return total_us / (self.plain + len(others))

    def busy_us(self, attempt: int) -> int:
        """Add up the durations of the plain results of an attempt."""
        if self.attempts.count(attempt) == len(self):
            return sum(self.durations_us)
        return sum(us for us, of in zip(self.durations_us, self.attempts, strict=True) if of == attempt)

    def stamp(self, now_ms: int) -> None:
        """Give each result that has no time of recording this one."""
        if self.are_plain and not any(self.recorded_ms):
            self.recorded_ms = [now_ms] * len(self)
            return
        for at, kind in enumerate(self._kinds):
            if kind == _PLAIN:
                self.recorded_ms[at] = self.recorded_ms[at] or now_ms
            elif kind == _OTHER and (result := self._others[at]).recorded_ms is None:
                self._others[at] = replace(result, recorded_ms=now_ms)

    def keep_stamps(self, before: "ResultColumns", after: "ResultColumns", leaving_out: AbstractSet[int]) -> None:
        """Take over the stamps that two copies of these results differ in.

        What was stamped has ended, so that nobody writes there meanwhile; everything else is left alone.
        """
        for at, recorded_ms in enumerate(after.recorded_ms):
            if recorded_ms:
                self.recorded_ms[at] = recorded_ms
        fresh = {at for at, result in before.others() if result.recorded_ms is None} - leaving_out
        for at, result in after.others():
            if at in fresh:
                self[at] = result

    def set_back(self, at: int, result: TaskResult | None) -> None:
        """Put back what was there before, which may be nothing."""
        self._kinds[at] = _NONE
        if result is not None:
            self[at] = result

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
        if self._kinds[at] == _NONE and _is_plain(result):
            self.recorded_ms[at] = result.recorded_ms or 0
            self.put_plain(at, result.start_ms, result.duration_us, result.attempt, result.value, result.id)
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
        return TaskResult(
            TaskState.SUCCEEDED,
            self.starts_ms[at],
            self.durations_us[at],
            self.attempts[at],
            recorded_ms=self.recorded_ms[at] or None,
            value=self.values.get(at),
            id=self.ids.get(at),
        )


def stamped(results: Results, now_ms: int) -> ResultColumns:
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
    """Whether it says no more than a plain result does; a value that is to be stored elsewhere is none of them."""
    if result.state is not TaskState.SUCCEEDED or result.runs != 1 or result.output is not None:
        return False
    said = (result.error, result.phases_ms, result.log, result.log_key, result.raised_at)
    return all(part is None for part in said) and not is_large(result)
