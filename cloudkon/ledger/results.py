"""What became of a bundle's tasks, packed into a few bytes each.

A task that succeeded takes about ten bytes, so a bundle of 64 is recorded in one write unit of the ledger (1 KiB).
Per task: a head byte (state, and whether runs and a note follow), then as varints the start after the
job's event [ms], the duration [us], the time until it was recorded [ms], and the attempt of the bundle that ran it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from cloudkon.errors import WireError

MAX_ERROR_CHARACTERS = 1_000
"""64 tasks that all fail with this much of the widest text stay below the 400 KB of a DynamoDB item."""
MAX_VALUE_BYTES = 1_024
"""A larger value goes to the object store, and the ledger holds its key."""
MAX_PHASES, MAX_PHASE_CHARACTERS = 8, 24
"""Of a handler's own stages, in ASCII: beside errors, 20 KB for a bundle of 64."""
OTHER_PHASES = "other"
"""Those that are one too many, together."""


class TaskState(IntEnum):
    """How a task's last run ended."""

    SUCCEEDED = 1  # final
    FAILED = 2  # final
    REJECTED = 3  # final
    RETRYING = 4  # failed, with tries left: whoever claims the bundle next moves it on

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class JsonText:
    """A value as the JSON that is recorded of it: text, so that nothing can change it on its way to the ledger."""

    text: str

    @property
    def value(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How one task ended, when, and what it said."""

    state: TaskState
    start_ms: int
    duration_us: int
    attempt: int
    runs: int = 1
    recorded_ms: int | None = None
    error: str | None = None
    value: Any = None
    """JsonText from the end of the task until it is recorded; read back, what JSON holds."""
    output: str | None = None
    id: str | None = None
    """What the task's author calls it."""
    phases_ms: Mapping[str, float] | None = None
    """What the stages that its handler tells apart took of its time; None if it tells none."""

    @property
    def is_final(self) -> bool:
        return self.state is not TaskState.RETRYING

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.duration_us / 1000


Results = Sequence[TaskResult | None]
"""One entry a task of a bundle, in its order; None has no result yet."""


def stamped(results: Results, now_ms: int) -> list[TaskResult | None]:
    """Give every result that is recorded now for the first time its stamp."""
    return [_recorded(r, now_ms) if r is not None and r.recorded_ms is None else r for r in results]


def _recorded(r: TaskResult, now_ms: int) -> TaskResult:
    # What dataclasses.replace would do, at a third of its cost: every task comes by here.
    return TaskResult(
        r.state, r.start_ms, r.duration_us, r.attempt, r.runs, now_ms, r.error, r.value, r.output, r.id, r.phases_ms
    )


_STATE, _HAS_RUNS, _HAS_NOTE = 0b0111, 0b1000, 0b1_0000


_STATES = {state.value: state for state in TaskState}
_NOTHING: dict[str, Any] = {}


def pack_results(results: Results, base_ms: int) -> bytes:
    """Write the results as bytes; times are kept relative to base_ms, the time of the job's event."""
    out = bytearray()
    for result in results:
        if result is None:
            out.append(0)
            continue
        note = _note(result)
        out.append(result.state | (_HAS_RUNS if result.runs != 1 else 0) | (_HAS_NOTE if note else 0))
        _put(out, _zigzag(result.start_ms - base_ms))
        _put(out, result.duration_us)
        recorded_ms = result.recorded_ms if result.recorded_ms is not None else result.start_ms
        _put(out, _zigzag(recorded_ms - result.start_ms))
        _put(out, result.attempt)
        if result.runs != 1:
            _put(out, result.runs)
        if note:
            _put(out, len(note))
            out += note
    return bytes(out)


def unpack_results(packed: bytes, base_ms: int) -> list[TaskResult | None]:
    """Read what pack_results wrote; raise WireError when the bytes are not a whole number of results."""
    results: list[TaskResult | None] = []
    at = 0
    try:
        while at < len(packed):
            head = packed[at]
            at += 1
            if head == 0:
                results.append(None)
                continue
            result, at = _unpack_one(head, packed, at, base_ms)
            results.append(result)
    except (IndexError, KeyError, RecursionError, ValueError) as error:
        raise WireError(f"The results of a bundle can't be read: {error}.") from error
    return results


def _unpack_one(head: int, packed: bytes, at: int, base_ms: int) -> tuple[TaskResult, int]:
    start, at = _get(packed, at)
    duration_us, at = _get(packed, at)
    lag, at = _get(packed, at)
    attempt, at = _get(packed, at)
    runs = 1
    if head & _HAS_RUNS:
        runs, at = _get(packed, at)
    note = _NOTHING
    if head & _HAS_NOTE:
        size, at = _get(packed, at)
        if at + size > len(packed):
            raise IndexError("they end within a note")
        note = json.loads(packed[at : at + size])
        if not isinstance(note, dict):
            raise ValueError("a note is not an object")
        at += size
    start_ms = base_ms + _unzigzag(start)
    result = TaskResult(
        state=_STATES[head & _STATE],
        start_ms=start_ms,
        duration_us=duration_us,
        attempt=attempt,
        runs=runs,
        recorded_ms=start_ms + _unzigzag(lag),
        error=note.get("e"),
        value=note.get("v"),
        output=note.get("o"),
        id=note.get("i"),
        phases_ms=note.get("s"),
    )
    return result, at


def _note(result: TaskResult) -> bytes:
    error, value, output, task_id, phases_ms = result.error, result.value, result.output, result.id, result.phases_ms
    if error is None and value is None and output is None and task_id is None and phases_ms is None:
        return b""
    frozen, value = (value.text, None) if isinstance(value, JsonText) else (None, value)
    parts = {"e": error, "v": value, "o": output, "i": task_id, "s": phases_ms}
    kept = {key: part for key, part in parts.items() if part is not None}
    # Half a surrogate pair is what a handler may return, and what json.loads takes.
    note = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
    if frozen is not None:
        note = f'{note[:-1]}{"," if kept else ""}"v":{frozen}}}'
    return note.encode(errors="surrogatepass")


def _put(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _get(packed: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = packed[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _unzigzag(number: int) -> int:
    return number // 2 if number % 2 == 0 else -(number // 2) - 1


def runs_of(results: Results) -> int:
    """How many runs the results tell of; it grows with every run, so it measures progress."""
    return sum([result.runs for result in results if result is not None])
