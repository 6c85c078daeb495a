"""A job as its caller sees it; wherever it runs, its ledger is read and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloudkon.client.backend import Backend
from cloudkon.client.errors import JobStoppedError
from cloudkon.client.lines_again import lines_again
from cloudkon.client.new_results import NewResults, Result
from cloudkon.client.progress import Progress, line_to_show_on
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, NotFoundError, UnavailableError
from cloudkon.ledger.job import Job as JobRow
from cloudkon.reports.stats import JobStats, job_stats
from cloudkon.workload.line_numbers import LineOffsets
from dispatcher.ranges import Workload

_LOOK_S = 1.0
"""How often the ledger is read where no news come."""
_REST = 4
"""How much longer to rest than the last reading took: no more than a fifth of the time is spent reading."""
_LEAST_REST_S = 0.05


class Job:
    """One run of one workload. `id` finds it again, in this program and in cloudkon-cli."""

    def __init__(self, backend: Backend, job_id: str, clock: Clock, *, progress: bool | None = None) -> None:
        self.id = job_id
        self._backend = backend
        self._clock = clock
        self._progress = progress
        self._new: _Reader | None = None

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    def results(self, *, timeout_s: float | None = None) -> Iterator[Result]:
        """Yield each task's result as soon as it is recorded, in no particular order, until the job has ended.

        A cancelled job has ended. Raises JobStoppedError if it is paused, or its process is gone, and TimeoutError
        after timeout_s: what was yielded until then is all that was recorded.
        """
        return self._results(timeout_s, with_values=True)

    def _results(self, timeout_s: float | None, *, with_values: bool) -> Iterator[Result]:
        reader = self._reader(with_values=with_values)
        with Progress(self.id, line_to_show_on(wanted=self._progress), self._clock) as progress:
            for _ in self._looks(timeout_s):
                for result in reader.read():
                    progress.count(result.state)
                    progress.show(reader.tasks)
                    yield result
                if reader.has_ended:
                    return
                progress.show(reader.tasks)

    def _reader(self, *, with_values: bool) -> "_Reader":
        new = NewResults(self._backend.ledger, self._backend.results, with_values=with_values)
        return _Reader(self.id, self._backend, new, self._clock)

    def new_results(self) -> Iterator[Result]:
        """What was recorded since the last call, without waiting. Raises as results() does, once all was told."""
        if self._new is None:
            self._new = self._reader(with_values=True)
        return self._new.read()

    @property
    def has_ended(self) -> bool:
        """Whether new_results() has told everything that there will be."""
        return self._new is not None and self._new.has_ended

    def wait(self, timeout_s: float | None = None) -> JobStats:
        """Wait until the job has ended; return its statistics. Raises as results() does, but not for failed tasks."""
        for _ in self._results(timeout_s, with_values=False):
            pass
        return self.stats()

    def stats(self) -> JobStats:
        """The job's statistics so far, as `cloudkon-cli stats` shows them. Raises NotFoundError if it is not there."""
        return job_stats(self._backend.ledger, self._row(), self._clock.now_ms())

    def failed(self) -> list[Result]:
        """The tasks that have failed or were rejected so far, in the order of the lines, with their lines as text."""
        row = self._row()
        ledger = self._backend.ledger
        found = [result for result in NewResults(ledger, self._backend.results).read(row) if not result.succeeded]
        found.sort(key=lambda result: result.line)
        try:
            numbering = LineOffsets(ledger.dispatched(row.id))
            workload = Workload(self._backend.source(row), row.source)
            numbers = (result.line for result in found)
            texts = {
                line.number: getattr(line, "text", None) for line in lines_again(workload, row, numbering, numbers)
            }
        except CloudKonError:
            return found  # the workload is gone; what became of it is not
        return [result if result.text else replace(result, text=texts.get(result.line)) for result in found]

    def cancel(self) -> None:
        """Cancel the job for good: tasks that run are finished and recorded, no others begin."""
        if self._backend.cancel(self.id) is None:
            raise NotFoundError(f"There is no job {self.id!r} yet, or any more.")

    def resume(self) -> None:
        """Let a job go on that is paused, or was stopped on this machine; one that runs goes on anyway."""
        if self._backend.resume(self.id) is None:
            raise NotFoundError(f"There is no job {self.id!r} yet, or any more.")

    def _row(self) -> JobRow:
        row = self._backend.ledger.job(self.id)
        if row is None:
            raise NotFoundError(f"There is no job {self.id!r} yet, or any more.")
        return row

    def _looks(self, timeout_s: float | None) -> Iterator[None]:
        """Yield whenever the ledger is to be read; whoever has seen the end leaves."""
        clock, backend = self._clock, self._backend
        ends_s = float("inf") if timeout_s is None else clock.monotonic_s() + timeout_s
        seen = backend.wait_for_news(-1, 0)
        while True:
            began_s = clock.monotonic_s()
            yield
            now_s = clock.monotonic_s()
            if now_s >= ends_s:
                raise TimeoutError(f"{self.id} has not ended within {timeout_s:g} s. Wait again, or cancel it.")
            rest_s = _REST * (now_s - began_s)
            if rest_s > _LEAST_REST_S:
                clock.sleep(min(rest_s, ends_s - now_s))
            seen = backend.wait_for_news(seen, max(0.0, min(_LOOK_S, ends_s - clock.monotonic_s())))


@dataclass(slots=True)
class _Reader:
    """Reads what is new of a job until it has ended."""

    job_id: str
    backend: Backend
    new: NewResults
    clock: Clock
    failing_since_s: float | None = None
    tasks: int = 0
    """How many tasks it has, as far as is known."""
    has_ended: bool = False

    def read(self) -> Iterator[Result]:
        """What is new. Raises JobStoppedError after the last of a job of which nothing more runs; not if cancelled.

        A ledger that does not answer has nothing new, for as long as the backend is patient.
        """
        try:
            yield from self._read()
            self.failing_since_s = None
        except UnavailableError:
            now_s = self.clock.monotonic_s()
            self.failing_since_s = now_s if self.failing_since_s is None else self.failing_since_s
            if now_s - self.failing_since_s >= self.backend.patience_s:
                raise

    def _read(self) -> Iterator[Result]:
        row = self.backend.ledger.job(self.job_id)
        reason = self.backend.why_stopped(self.job_id, row)  # before the results are read: they may end it meanwhile
        if row is not None:
            self.tasks = row.tasks_estimate
            yield from self.new.read(row)
        is_cancelled = reason is not None and row is not None and row.cancelled_ms is not None
        self.has_ended = self.new.are_all or is_cancelled
        if reason is not None and not self.has_ended:
            raise JobStoppedError(reason)
