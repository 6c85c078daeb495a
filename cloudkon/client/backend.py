"""The port between a client and the place where its jobs run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cloudkon.ledger.job import Job
from cloudkon.ports import Ledger, ObjectStore, ResultStore


class Backend(Protocol):
    """This process, or a stage. Safe to share between threads."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def results(self) -> ResultStore: ...

    @property
    def folder(self) -> Path:
        """Where workloads are written that are made of lines."""
        ...

    @property
    def patience_s(self) -> float:
        """For how long a ledger that does not answer is asked again: the job goes on meanwhile."""
        ...

    @property
    def gather_s(self) -> float:
        """For how long the calls of an executor are gathered, to make one job."""
        ...

    def permit(self, name: str, function: Callable[..., Any]) -> None:
        """Let tasks of this name run the function, where that is for the caller to say."""
        ...

    def begin(self, workload: Path, *, is_own: bool) -> str:
        """Begin a job and return its id; is_own: the file is the client's, which keeps it for as long as it is needed.

        Raises CloudKonError if the file can't be a workload, or can't be sent.
        """
        ...

    def source(self, job: Job) -> ObjectStore:
        """Where the job's workload is read again."""
        ...

    def wait_for_news(self, seen: int, seconds: float) -> int:
        """Wait until results may have come that were not there at seen, at most so long; return the next seen."""
        ...

    def why_stopped(self, job_id: str, job: Job | None) -> str | None:
        """Why nothing more of an unfinished job runs by itself, and how it goes on; None while some of it may run."""
        ...

    def resume(self, job_id: str) -> Job | None:
        """Let a paused job go on; None if there is no such job."""
        ...

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job for good; None if there is no such job."""
        ...

    def close(self, *, wait: bool) -> None:
        """Let go of everything: where this process runs the jobs, wait for their ends, or stop what was begun."""
        ...
