"""Decides how a workload is cut: how many tasks to a bundle, how many ranges, how many shards of the ledger.

The figures behind the bundle's size: 64 tasks of 100 bytes times ten messages fill one billed SQS chunk (64 KiB), the
cheapest point; sixteen bundles a slot keep a heavy-tailed job within about a tenth of the ideal makespan.
"""

import math
import re
from dataclasses import dataclass, replace

from cloudkon.ledger.job import RANGE_BYTES
from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.task_line import is_task_line

MAX_BUNDLE_TASKS = 64
BUNDLE_BYTES = 6_500
BUNDLES_PER_SLOT = 16
BUNDLE_S = 2.0
DEFAULT_SLOTS = 64
"""The expected parallelism of a stage when nobody says: sixteen workers of four slots."""
DEFAULT_WORKER_SLOTS = 4
"""Those of one of its workers. They share a bundle, so one as wide as a worker's slots delays nobody."""

# A partition of DynamoDB takes 1,000 writes a second, and a bundle takes two: 4 shards serve 128,000 tasks a second.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
_BUNDLES_PER_SHARD = 2_000
_MAX_SHARDS = 16

TRAVEL_ALONE = frozenset({"animoto"})
"""Tasks of minutes each: a bundle of them would only hold others up."""

MAX_RETRIES = 100
"""Each retry is a receive of the message, and a queue that redrives allows 1,000."""
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_HEADER = re.compile(r"#\s*cloudkon:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """What the first lines of a workload may set: `#cloudkon: bundle=1 task_ms=250 retries=5 timeout=30s`."""

    bundle: int | None = None
    task_ms: float | None = None
    retries: int | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class HeaderError:
    """An option that can't be used: the job runs without it, and the line is among its rejects."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What the first lines of a workload tell about the rest."""

    options: Options
    tasks: int
    bytes_read: int
    whole: bool
    """Whether the sample is the workload."""
    alone: bool = False

    @property
    def mean_task_bytes(self) -> float:
        return self.bytes_read / self.tasks if self.tasks else float(self.bytes_read or 1)

    def tasks_of(self, size_bytes: int) -> int:
        """How many tasks a workload of this size probably has."""
        if self.whole or not self.tasks:
            return self.tasks
        return max(self.tasks, round(size_bytes / self.mean_task_bytes))


def sample(lines: list[Line | BadLine], *, whole: bool) -> Sample:
    """Learn from the first lines; options count until the first task."""
    options, tasks, alone = Options(), 0, False
    for line in lines:
        if isinstance(line, BadLine):
            continue
        if not tasks and is_header(line.text):
            options, _ = read_options(line, options)
        elif is_task_line(line.text):
            tasks += 1
            alone = alone or _first_word(line.text) in TRAVEL_ALONE
    return Sample(options, tasks, lines[-1].end if lines else 0, whole, alone)


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0] if not text.startswith("{") else _json_name(text)


def _json_name(text: str) -> str:
    found = re.search(r'"task"\s*:\s*"([^"\\]*)"', text)
    return found[1] if found else ""


def is_header(text: str) -> bool:
    return _HEADER.match(text) is not None


def read_options(line: Line, options: Options | None = None) -> tuple[Options, list[HeaderError]]:
    """Read a header line's options over those that are known; what can't be used is an error of its own."""
    options, errors = options or Options(), []
    for word in _HEADER.sub("", line.text).split():
        name, _, value = word.partition("=")
        try:
            options = _with_option(options, name, value)
        except ValueError as error:
            errors.append(HeaderError(line.number, str(error), line.text[:120]))
    return options, errors


def _with_option(options: Options, name: str, value: str) -> Options:
    match name:
        case "bundle" if value.isdecimal() and 1 <= int(value) <= MAX_BUNDLE_TASKS:
            return replace(options, bundle=int(value))
        case "bundle":
            raise ValueError(f"option bundle={value}: a whole number from 1 to {MAX_BUNDLE_TASKS} was expected")
        case "task_ms" if re.fullmatch(r"\d+(\.\d+)?", value):
            return replace(options, task_ms=float(value))
        case "task_ms":
            raise ValueError(f"option task_ms={value}: the mean time of a task in milliseconds was expected")
        case "retries" if value.isdecimal() and int(value) <= MAX_RETRIES:
            return replace(options, retries=int(value))
        case "retries":
            raise ValueError(f"option retries={value}: a whole number from 0 to {MAX_RETRIES} was expected")
        case "timeout":
            return replace(options, timeout_s=_duration_s(value))
        case _:
            raise ValueError(f"unknown option {name!r}; known are bundle, task_ms, retries and timeout")


def _duration_s(value: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value)
    seconds = float(found[1]) * _UNITS_S[found[2]] if found else 0.0
    if not seconds:
        raise ValueError(f"option timeout={value}: a time such as 500ms, 30s, 5m or 2h was expected")
    return seconds


def bundle_size(seen: Sample, size_bytes: int, slots: int, worker_slots: int = DEFAULT_WORKER_SLOTS) -> int:
    """How many tasks travel together: clamp(1, 64, by bytes, by parallelism, by time).

    A few tasks for many slots are cut no narrower than one worker's slots: cut into bundles of one, they would cost a
    claim and a record each, and end no sooner.
    """
    if seen.options.bundle is not None:
        return seen.options.bundle
    if seen.alone:
        return 1
    bounds = [
        MAX_BUNDLE_TASKS,
        math.floor(BUNDLE_BYTES / seen.mean_task_bytes),
        max(seen.tasks_of(size_bytes) // (BUNDLES_PER_SLOT * slots), min(worker_slots, slots)),
    ]
    if seen.options.task_ms:
        bounds.append(math.ceil(BUNDLE_S * 1000 / seen.options.task_ms))
    return max(1, min(bounds))


def ranges_of(size_bytes: int, *, gzipped: bool) -> int:
    """How many ranges a workload is cut into; what is compressed can only be read from its beginning."""
    return 1 if gzipped else max(1, math.ceil(size_bytes / RANGE_BYTES))


def shards_of(tasks: int, bundle: int) -> int:
    """Over how many partitions of the ledger a job's bundles spread."""
    return max(1, min(_MAX_SHARDS, math.ceil(tasks / bundle / _BUNDLES_PER_SHARD)))
