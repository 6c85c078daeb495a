"""Encodes bundles, ranges and completion records as JSON in plain ASCII, which every queue accepts.

Escaping makes a line of 200 KiB grow to 600 KiB at most, which is below the 1 MiB of an SQS message.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cloudkon.errors import WireError
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import MAX_RETRIES, MAX_TIMEOUT_S, RangeKey
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import JsonText, TaskResult
from cloudkon.telemetry.tracing import TraceContext

VERSION = 1
_ALL = "all"


def encode_bundle(bundle: Bundle) -> str:
    """Write a bundle as the body of a message."""
    key = bundle.key
    trace = None if bundle.trace is None else str(bundle.trace)
    optional = {"retries": bundle.retries, "timeout_s": bundle.timeout_s, "trace": trace, "seal": bundle.seal}
    optional["logs"] = _ALL if bundle.keep_logs else None
    return _dump(
        {
            "v": VERSION,
            "job": key.job,
            "range": key.range,
            "bundle": key.number,
            "shards": key.shards,
            "lines": str(bundle.lines),
            "event_ms": bundle.event_ms,
            "sent_ms": bundle.sent_ms,
            "tasks": "\n".join(bundle.tasks),
            **{name: value for name, value in optional.items() if value is not None},
        }
    )


def decode_bundle(body: str) -> Bundle:
    """Read the body of a message; raise WireError with the reason.

    Unknown keys are left for later versions. More retries and longer timeouts than there may be, as earlier versions
    sent them, count as the most that there may be.
    """
    value = _versioned(body, "bundle")
    try:
        key = BundleKey(
            _job(value["job"]), _count(value["range"]), _count(value["bundle"]), _count(value["shards"], least=1)
        )
        lines = LineNumbers.parse(_text(value["lines"]))
        tasks = tuple(_text(value["tasks"]).split("\n"))
        retries = min(_count(value["retries"]), MAX_RETRIES) if "retries" in value else None
        timeout_s = min(_positive(value["timeout_s"]), MAX_TIMEOUT_S) if "timeout_s" in value else None
        stamps = _time(value["event_ms"]), _time(value["sent_ms"])
        seal = _seal(value["seal"]) if "seal" in value else None
        trace, keep_logs = TraceContext.parse(value.get("trace")), value.get("logs") == _ALL
        bundle = Bundle(key, lines, tasks, *stamps, retries, timeout_s, trace, seal, keep_logs)
    except (KeyError, TypeError) as error:
        raise WireError(f"The message is no bundle: {error}.") from error
    if len(lines) != len(tasks):
        raise WireError(f"The message names {len(lines)} lines but holds {len(tasks)} tasks.")
    return bundle


def encode_range(key: RangeKey) -> str:
    """Write the message by which a range is dispatched; no bundle can be mistaken for it."""
    return _dump({"v": VERSION, "job": key.job, "dispatch": key.number})


def decode_range(body: str) -> RangeKey:
    """Read what encode_range wrote; raise WireError with the reason."""
    value = _versioned(body, "range")
    try:
        return RangeKey(_job(value["job"]), _count(value["dispatch"]))
    except (KeyError, TypeError) as error:
        raise WireError(f"The message names no range: {error}.") from error


def encode_completion(row: BundleRow) -> str:
    """Write a bundle's completion record, with line number and state of each task, for the process queue."""
    head = _dump(
        {
            "v": VERSION,
            "job": row.key.job,
            "bundle": row.key.id,
            "worker": row.owner,
            "attempt": row.attempt,
            "completed_ms": row.completed_ms,
        }
    )
    return f'{head[:-1]},"tasks":[{",".join(_completed_tasks(row))}]}}'


def _completed_tasks(row: BundleRow) -> Iterable[str]:
    results = row.results
    if isinstance(results, ResultColumns) and results.are_plain:
        return _plain_tasks(row.lines, results, row.attempt)
    return (_dump(_completed_task(line, result, row.attempt)) for line, result in numbered(row))


def _plain_tasks(lines: LineNumbers, results: ResultColumns, attempt: int) -> Iterator[str]:
    """What _completed_task makes of each result, as JSON, at a tenth of its cost."""
    columns = zip(lines, results.durations_us, results.starts_ms, results.attempts, strict=True)
    for at, (line, duration_us, start_ms, of) in enumerate(columns):
        text = f'{{"task":{line},"state":"succeeded","duration_ms":{duration_us / 1000!r},"runs":1'
        if at in results.ids:
            text += f',"id":{json.dumps(results.ids[at])}'
        if (value := results.values.get(at)) is not None and (shown := _ascii_json(value)) != "null":
            text += f',"value":{shown}'
        text += f',"start_ms":{start_ms}'
        yield f"{text}}}" if of == attempt else f'{text},"attempt":{of}}}'


def _completed_task(line: int, result: TaskResult, attempt: int) -> dict[str, Any]:
    """The result and its start; its attempt only where that is not the record's: ten records fill a billed chunk."""
    task = result_json(line, result) | {"start_ms": result.start_ms}
    return task if result.attempt == attempt else task | {"attempt": result.attempt}


@dataclass(frozen=True, slots=True)
class Completion:
    """A bundle's completion record as a consumer of the process queue reads it; it may come more than once."""

    job: str
    range: int
    bundle: str
    tasks: Sequence[dict[str, Any]]
    worker: str = ""
    attempt: int = 1

    def numbered(self, lines_before: int) -> Sequence[dict[str, Any]]:
        """The tasks with the line numbers of the whole workload, their attempts, and their worker where it is known."""
        return [self._numbered(task, lines_before) for task in self.tasks]

    def _numbered(self, task: dict[str, Any], lines_before: int) -> dict[str, Any]:
        told = task | {"task": task["task"] + lines_before}
        return told if "attempt" in task else told | {"attempt": self.attempt, "worker": self.worker}


def decode_completion(body: str) -> Completion:
    """Read what encode_completion wrote; raise WireError with the reason."""
    value = _versioned(body, "completion record")
    try:
        key = BundleKey.parse(_job(value["job"]), _text(value["bundle"]), shards=1)
        tasks = [_numbered_task(task) for task in value["tasks"]]
        worker, attempt = _text(value.get("worker", "")), _count(value.get("attempt", 1))
    except (KeyError, TypeError) as error:
        raise WireError(f"The message is no completion record: {error}.") from error
    return Completion(key.job, key.range, key.id, tasks, worker, attempt)


def _numbered_task(task: object) -> dict[str, Any]:
    if isinstance(task, dict):
        _count(task["task"])
        return task
    raise TypeError(f"{task!r:.100} is no task")


def numbered(row: BundleRow, lines_before: int = 0) -> Iterator[tuple[int, TaskResult]]:
    """The row's results with their line numbers; lines_before counts the lines of the ranges before the row's."""
    for line, result in zip(row.lines, row.results, strict=True):
        if result is not None and result.is_final:
            yield line + lines_before, result


def result_json(line: int, result: TaskResult) -> dict[str, Any]:
    """One task's result as every command and message shows it in JSON; keys that do not apply are left out."""
    shown: dict[str, Any] = {
        "task": line,
        "state": result.state.word,
        "duration_ms": result.duration_us / 1000,
        "runs": result.runs,
    }
    optional = {
        "id": result.id,
        "value": result.value.value if isinstance(result.value, JsonText) else result.value,
        "error": result.error,
        "raised_at": result.raised_at,
        "output": result.output,
        "handler_stages_ms": result.phases_ms,
    }
    return shown | {name: part for name, part in optional.items() if part is not None}


def recorded_json(line: int, result: TaskResult, owners: Sequence[str]) -> dict[str, Any]:
    """The result as JSON with when, by whom and in which attempt of its bundle it ran."""
    attempt = result.attempt
    return result_json(line, result) | {
        "start_ms": result.start_ms,
        "attempt": attempt,
        "worker": owners[attempt - 1],
    }


def _ascii_json(value: Any) -> str:
    """A result's value as compact JSON in plain ASCII."""
    if isinstance(value, JsonText):
        if value.text.isascii():
            return value.text
        value = value.value
    return json.dumps(value, separators=(",", ":"))


def encode_undecodable(body: str, reason: str) -> str:
    """Wrap a message that can't be decoded for the dead-letter queue, with the reason."""
    return _dump({"v": VERSION, "reason": reason, "body": body})


def decode_undecodable(body: str) -> tuple[str, str] | None:
    """Read what encode_undecodable wrote, as reason and original body; None for any other message."""
    try:
        value = _parsed(body)
    except WireError:
        return None
    if not isinstance(value, dict) or value.keys() != {"v", "reason", "body"}:
        return None
    reason, wrapped = value["reason"], value["body"]
    return (reason, wrapped) if isinstance(reason, str) and isinstance(wrapped, str) else None


def _versioned(body: str, what: str) -> dict[str, Any]:
    value = _parsed(body)
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise WireError(f"The message is no {what} of version {VERSION}.")
    return value


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except RecursionError as error:
        raise WireError("The message is not JSON: nested too deeply.") from error
    except ValueError as error:
        raise WireError(f"The message is not JSON: {error}.") from error


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


# What a forged message could hold and no ledger could keep is refused here: it would end every worker that tried.
_MAX_JOB_CHARACTERS = 200
_SEAL = re.compile("[0-9a-f]{32}")
_MAX_COUNT = 10**9 - 1
_MAX_TIME_MS = 10**14
_MAX_SECONDS = 10**9


def _job(value: object) -> str:
    job = _text(value)
    if 0 < len(job) <= _MAX_JOB_CHARACTERS and job.isprintable():
        return job
    raise TypeError(f"{job[:_MAX_JOB_CHARACTERS]!r} is no job's id")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r:.100} is not text")


def _seal(value: object) -> str:
    seal = _text(value)
    if _SEAL.fullmatch(seal):
        return seal
    raise TypeError(f"{seal!r:.100} is no seal")


def _time(value: object) -> int:
    return _count(value, most=_MAX_TIME_MS)


def _count(value: object, least: int = 0, most: int = _MAX_COUNT) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise TypeError(f"{value!r:.100} is not a whole number from {least} to {most}")


def _positive(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MAX_SECONDS:
        return float(value)
    raise TypeError(f"{value!r:.100} is not a positive number")
