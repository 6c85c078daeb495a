"""The values of a function over many items, in the order of the items."""

from collections.abc import Callable, Generator
from typing import Any, Generic, Self, TypeVar

from cloudkon.client.errors import JobStoppedError, TaskError
from cloudkon.client.job import Job
from cloudkon.client.new_results import Result

T = TypeVar("T")


class MappedValues(Generic[T]):
    """An iterator, as of Executor.map; `job` is the job that computes them.

    Raises TaskError where the next item's task did not succeed. The rest is then cancelled, and so it is if the
    iterator is closed before its end. After Ctrl-C, a timeout, or when it is paused, the job stays what it is.
    """

    def __init__(
        self, job: Job, first_line: int, items: int, convert: Callable[[Any], T], timeout_s: float | None
    ) -> None:
        self.job = job
        self._left = items
        self._values = self._in_order(first_line, convert, timeout_s)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return next(self._values)

    def __len__(self) -> int:
        """How many values are still to come."""
        return self._left

    def close(self) -> None:
        """Cancel what is left."""
        self._values.close()

    def _in_order(self, line: int, convert: Callable[[Any], T], timeout_s: float | None) -> Generator[T, None, None]:
        waiting: dict[int, Result] = {}
        try:
            for result in self.job.results(timeout_s=timeout_s):
                waiting[result.line] = result
                while (next_ := waiting.pop(line, None)) is not None:
                    line += 1
                    self._left -= 1
                    yield convert(next_.get())
        except (TaskError, GeneratorExit):
            if self._left:
                self.job.cancel()
            raise
        if self._left:
            raise JobStoppedError(f"{self.job.id} was cancelled: {self._left:,} of its values will not come.")
