"""What goes wrong with a job as its caller sees it."""

from cloudkon.errors import CloudKonError


class TaskError(CloudKonError):
    """A task did not succeed; the message is its error, as the ledger has it."""

    def __init__(self, error: str, *, job: str, line: int, state: str, raised_at: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.job = job
        self.line = line
        """The number of the task's line in its job's workload, from 1."""
        self.state = state
        """failed or rejected."""
        self.raised_at = raised_at
        """The place in the function's own code that raised."""

    def __str__(self) -> str:
        place = f", {self.raised_at}" if self.raised_at else ""
        return f"{self.error} (line {self.line} of {self.job}{place})"


class JobStoppedError(CloudKonError):
    """Nothing more of a job runs by itself: it is paused, cancelled, or whoever ran it has ended."""
