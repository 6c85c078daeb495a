"""A bundle: a run of consecutive tasks that travels as one message, is claimed as one and recorded as one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from cloudkon.errors import WireError
from cloudkon.telemetry.tracing import TraceContext

_ID = re.compile(r"([0-9]{5,9})\.([0-9]{6,9})")
_RUN = r"[0-9]{1,18}\+[1-9][0-9]{0,8}"
_RUNS = re.compile(rf"({_RUN}(,{_RUN})*)?")


@dataclass(frozen=True, slots=True, order=True)
class BundleKey:
    """A bundle's position in its job: it follows from the workload's bytes, so a second dispatch produces it again."""

    job: str
    range: int
    number: int
    shards: int = 1

    @property
    def id(self) -> str:
        """The bundle's name within its job; sorts in the order of the workload."""
        return f"{self.range:05d}.{self.number:06d}"

    @property
    def shard(self) -> int:
        """The partition of the ledger that holds the bundle."""
        return self.number % self.shards

    def __str__(self) -> str:
        return f"{self.job}/{self.id}"

    @classmethod
    def parse(cls, job: str, bundle_id: str, shards: int) -> "BundleKey":
        """Read what id wrote; raises WireError for anything else."""
        match = _ID.fullmatch(bundle_id)
        if not match:
            raise WireError(f"{bundle_id!r:.100} is not a bundle's id.")
        return cls(job, int(match[1]), int(match[2]), shards)


@dataclass(frozen=True, slots=True)
class LineNumbers:
    """The line numbers of a bundle's tasks within their range, as runs of (first line, count)."""

    runs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "LineNumbers":
        runs: list[list[int]] = []
        for number in numbers:
            if runs and runs[-1][0] + runs[-1][1] == number:
                runs[-1][1] += 1
            else:
                runs.append([number, 1])
        return cls(tuple((first, count) for first, count in runs))

    def __len__(self) -> int:
        return sum(count for _, count in self.runs)

    def __iter__(self) -> Iterator[int]:
        for first, count in self.runs:
            yield from range(first, first + count)

    def __str__(self) -> str:
        """As the ledger keeps it: 1+64,70+3."""
        return ",".join(f"{first}+{count}" for first, count in self.runs)

    @classmethod
    def parse(cls, text: str) -> "LineNumbers":
        """Read what str wrote; raises WireError for anything else."""
        if not _RUNS.fullmatch(text):
            raise WireError(f"{text!r:.100} are not line numbers.")
        pairs = (run.split("+") for run in text.split(",") if run)
        runs = tuple((int(first), int(count)) for first, count in pairs)
        if any(first + count > following for (first, count), (following, _) in pairwise(runs)):
            raise WireError(f"{text!r:.100} are not line numbers: they overlap.")
        return cls(runs)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The content of one message: the tasks' lines as the workload has them, options, and time stamps."""

    key: BundleKey
    lines: LineNumbers
    tasks: tuple[str, ...]
    event_ms: int
    """When the job began: the S3 event's time; the base of every stamp of the bundle's results."""
    sent_ms: int
    """When the dispatcher sent this copy of the bundle."""
    retries: int | None = None
    """As the workload's header says; None leaves it to the handler and the settings."""
    timeout_s: float | None = None
    """The longest time of one run; None as for retries."""
    trace: TraceContext | None = None
    """Where its spans belong, if it is traced."""
    seal: str | None = None
    """Proves to a worker that the dispatcher has made the bundle; see seal.py."""
    keep_logs: bool = False
    """Whether the logs of tasks that succeed are kept, too. It is not sealed: it decides nothing of what runs."""
