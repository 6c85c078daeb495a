"""Decides how a workload is cut: how many tasks to a bundle, how many ranges, how many shards of the ledger.

The figures behind the bundle's size: 64 tasks of 100 bytes times ten messages fill one billed SQS chunk (64 KiB), the
cheapest point; sixteen bundles a slot keep a heavy-tailed job within about a tenth of the ideal makespan.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloudkon.ledger.failure_limit import is_failure_limit
from cloudkon.ledger.job import MAX_RETRIES, MAX_TIMEOUT_S, RANGE_BYTES
from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.task_line import first_word, is_task_line

MAX_BUNDLE_TASKS = 64
BUNDLE_BYTES = 6_500
BUNDLES_PER_SLOT = 16
BUNDLE_S, LEAST_BUNDLE_S = 2.0, 0.1
DEFAULT_SLOTS = 64
"""The expected parallelism of a stage when nobody says: sixteen workers of four slots."""
DEFAULT_WORKER_SLOTS = 4
"""The slots of one worker. They share a bundle, so a bundle of as many tasks as a worker has slots delays nobody."""


@dataclass(frozen=True, slots=True)
class BundleBounds:
    """The most that travels together."""

    tasks: int = MAX_BUNDLE_TASKS
    size_bytes: int = BUNDLE_BYTES


TRAVELLING = BundleBounds()
"""For bundles that are messages of SQS and items of DynamoDB."""
STAYING = BundleBounds(tasks=256, size_bytes=4 * BUNDLE_BYTES)
"""For bundles that never leave their machine: four times as many tasks share the cost of a claim and a record."""
_SHARE = 400
"""A bundle of more than MAX_BUNDLE_TASKS is no more than this part of its job: results are told bundle by bundle."""

# A partition of DynamoDB takes 1,000 writes a second, and a bundle takes two: 4 shards serve 128,000 tasks a second.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
_BUNDLES_PER_SHARD = 2_000
_MAX_SHARDS = 16

TRAVEL_ALONE = frozenset({"animoto"})
"""Tasks that take minutes: in a bundle, each would delay the next."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MIN_TIMEOUT_S = 0.001
_MOST_SLOTS = 1_024
_LOGS = {"all": True, "failed": False}
_MIN_TASK_MS, _MAX_TASK_MS = 0.001, 86_400_000.0
_MAX_HEADER_ERRORS = 8
"""How many errors one line may have: a line of 200 KiB could hold 100,000 words that are no options."""
_MAX_SHOWN_CHARACTERS = 40

_HEADER = re.compile(r"#\s*cloudkon:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """What the first lines of a workload may set: `#cloudkon: bundle=1 task_ms=250 retries=5 timeout=30s logs=all`."""

    bundle: int | None = None
    task_ms: float | None = None
    retries: int | None = None
    timeout_s: float | None = None
    keep_logs: bool = False
    """Whether the logs of tasks that succeed are kept, too."""
    task_slots: int = 1
    """How many slots of a worker a task needs."""
    max_fails: str | None = None
    """At how many failures, or at which share of its tasks, the job is paused."""


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
    name: str = ""
    """Of all its tasks; empty if they have several."""
    text_bytes: int | None = None
    """The size of the tasks' texts, where they are not the lines themselves."""

    @property
    def mean_text_bytes(self) -> float:
        """The mean size of a task as it travels."""
        return self.mean_task_bytes if self.text_bytes is None else self.text_bytes / max(1, self.tasks)

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
    options, tasks, names = Options(), 0, set[str]()
    for line in lines:
        if isinstance(line, BadLine):
            continue
        if not tasks and is_header(line.text):
            options, _ = read_options(line, options)
        elif is_task_line(line.text):
            tasks += 1
            names.add(first_word(line.text))
    name = next(iter(names)) if len(names) == 1 else ""
    return Sample(options, tasks, lines[-1].end if lines else 0, whole, not names.isdisjoint(TRAVEL_ALONE), name)


def is_header(text: str) -> bool:
    return _HEADER.match(text) is not None


def read_options(line: Line, options: Options | None = None) -> tuple[Options, list[HeaderError]]:
    """Read a header line's options over those that are known; each of the first that can't be used is an error."""
    options, errors, more = options or Options(), list[HeaderError](), 0
    text = line.text[:120]
    for word in _HEADER.sub("", line.text).split():
        name, _, value = word.partition("=")
        try:
            options = _with_option(options, name, value)
        except ValueError as error:
            if len(errors) < _MAX_HEADER_ERRORS:
                errors.append(HeaderError(line.number, str(error), text))
            else:
                more += 1
    if more:
        errors[-1] = HeaderError(line.number, f"{more + 1:,} more words that are no options", text)
    return options, errors


def _with_option(options: Options, name: str, value: str) -> Options:
    """Raises ValueError with the reason for an option that can't be used."""
    if name not in _READERS:
        *most, last = _READERS
        raise ValueError(
            f"unknown option {_shown(name)!r}; known are {', '.join(most)} and {last}, "
            "and for values each, task, format and colsep"
        )
    field, read = _READERS[name]
    return replace(options, **{field: read(value)})


def _whole(name: str, value: str, least: int, most: int) -> int:
    if re.fullmatch(r"[0-9]{1,9}", value) and least <= int(value) <= most:
        return int(value)
    raise ValueError(f"option {name}={_shown(value)}: a whole number from {least} to {most} was expected")


def _task_ms(value: str) -> float:
    mean_ms = float(value) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else math.inf
    if mean_ms > _MAX_TASK_MS:
        raise ValueError(
            f"option task_ms={_shown(value)}: the mean time of a task in milliseconds was expected, a day at most"
        )
    return mean_ms


def _timeout_s(value: str) -> float:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", value)
    seconds = float(found[1]) * _UNITS_S[found[2]] if found else 0.0
    if not _MIN_TIMEOUT_S <= seconds <= MAX_TIMEOUT_S:
        raise ValueError(
            f"option timeout={_shown(value)}: a time from 1ms to 12h was expected, such as 500ms, 30s, 5m or 2h"
        )
    return seconds


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}..."


def _logs(value: str) -> bool:
    if value not in _LOGS:
        raise ValueError(f"option logs={_shown(value)}: all was expected, or failed")
    return _LOGS[value]


def _max_fails(value: str) -> str:
    if not is_failure_limit(value):
        raise ValueError(f"option max_fails={_shown(value)}: a number from 1, or a share such as 5%, was expected")
    return value


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "bundle": ("bundle", lambda value: _whole("bundle", value, 1, MAX_BUNDLE_TASKS)),
    "task_ms": ("task_ms", _task_ms),
    "retries": ("retries", lambda value: _whole("retries", value, 0, MAX_RETRIES)),
    "timeout": ("timeout_s", _timeout_s),
    "logs": ("keep_logs", _logs),
    "slots": ("task_slots", lambda value: _whole("slots", value, 1, _MOST_SLOTS)),
    "max_fails": ("max_fails", _max_fails),
}
"""The options by their names: which field each sets, and what reads its value."""


def bundle_size(
    seen: Sample,
    size_bytes: int,
    slots: int,
    worker_slots: int = DEFAULT_WORKER_SLOTS,
    most: BundleBounds = TRAVELLING,
    learnt_ms: float | None = None,
) -> int:
    """How many tasks travel together: clamp(1, most, by bytes, by parallelism, by time).

    A few tasks for many slots are cut no narrower than one worker's slots: cut into bundles of one, they would cost a
    claim and a record each, and end no sooner. Where the mean time of a task is known, by the header or learnt from
    earlier jobs, a bundle lasts for a worker's slots some 100 ms at least, and for one slot 2 s at most.
    """
    if seen.options.bundle is not None:
        return seen.options.bundle
    if seen.alone:
        return 1
    slots, worker_slots = (max(1, each // seen.options.task_slots) for each in (slots, worker_slots))
    tasks, width = seen.tasks_of(size_bytes), min(worker_slots, slots)
    task_ms = seen.options.task_ms or learnt_ms
    least, bounds = width, [math.floor(most.size_bytes / max(1.0, seen.mean_text_bytes))]
    if task_ms is None:
        bounds.append(min(most.tasks, max(MAX_BUNDLE_TASKS, tasks // _SHARE)))
    else:
        task_ms = max(task_ms, _MIN_TASK_MS)
        least = max(least, math.ceil(LEAST_BUNDLE_S * 1000 * width / task_ms))
        bounds += [most.tasks, math.ceil(BUNDLE_S * 1000 / task_ms)]
    bounds.append(max(tasks // (BUNDLES_PER_SLOT * slots), least))
    return max(1, min(bounds))


def ranges_of(size_bytes: int, *, gzipped: bool) -> int:
    """How many ranges a workload is cut into; what is compressed can only be read from its beginning."""
    return 1 if gzipped else max(1, math.ceil(size_bytes / RANGE_BYTES))


def shards_of(tasks: int, bundle: int) -> int:
    """Over how many partitions of the ledger a job's bundles spread."""
    return max(1, min(_MAX_SHARDS, math.ceil(tasks / bundle / _BUNDLES_PER_SHARD)))
