"""Which jobs repeat tasks of another one, and which line of the first job each line of theirs is.

`retry` names the first job in the place of the new workload, and notes the numbers of its lines at its end.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.jobs.ledgers import FoundJob
from cli.jobs.workload_lines import WorkloadLines
from cloudkon.errors import CloudKonError
from cloudkon.ledger.bundle import LineNumbers
from cloudkon.ledger.job import Job

_PLACE = re.compile(r"(?:^|/)(?:retry|retries)/([^/]+)/[^/]+$")
_RECENT_JOBS = 200
"""How many of the latest jobs are looked at for repeats of one."""
_NOTE = re.compile(r"# From line (\d{1,18}) on, these are the lines (\d[\d+,]*) of (\S+)\.")
_NUMBERS_A_NOTE = 2_000
"""So that a note is no over-long line."""


def repeated_job(job: Job) -> str | None:
    """The id of the job whose tasks this one repeats; None for any other job."""
    found = _PLACE.search(job.source.key)
    return found[1] if found else None


def repeats(found: FoundJob) -> list[FoundJob]:
    """The jobs that repeat tasks of this one, the latest first."""
    records = found.records
    return [
        FoundJob(job, records)
        for job in records.ledger.recent(_RECENT_JOBS)
        if repeated_job(job) == found.job.id and job.id != found.job.id
    ]


@dataclass(slots=True)
class Origins:
    """Which lines of which job the lines of a workload are, from its line `first` on."""

    job: str
    first: int
    numbers: "array[int]" = field(default_factory=lambda: array("q"))

    def line(self, number: int) -> int | None:
        """The number in the first job of a line of this one."""
        at = number - self.first
        return self.numbers[at] if 0 <= at < len(self.numbers) else None

    def place(self, number: int) -> str | None:
        """The same in words."""
        line = self.line(number)
        return None if line is None else f"line {line:,} of {self.job}"

    def notes(self) -> Iterator[str]:
        """Comments that say it, at the end of the workload."""
        for at in range(0, len(self.numbers), _NUMBERS_A_NOTE):
            numbers = LineNumbers.of(self.numbers[at : at + _NUMBERS_A_NOTE])
            yield f"# From line {self.first + at} on, these are the lines {numbers} of {self.job}."


def origins_of(found: FoundJob) -> Origins | None:
    """What the job's workload notes about its lines, if it is a retry's and can still be read."""
    if repeated_job(found.job) is None:
        return None
    origins: Origins | None = None
    try:
        for text in WorkloadLines(found).comments():
            noted = _NOTE.fullmatch(text)
            if noted is None:
                continue
            origins = origins or Origins(noted[3], int(noted[1]))
            origins.numbers.extend(LineNumbers.parse(noted[2]))
    except CloudKonError:
        return None
    return origins
