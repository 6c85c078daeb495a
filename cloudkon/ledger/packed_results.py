"""The results of a bundle, packed into a few bytes for each task.

A task that succeeded takes about ten bytes, so a bundle of 64 is recorded in one write unit of the ledger (1 KiB).
There are two forms, told apart by the first byte:

- Task by task: a head byte (state, and whether runs and a note follow), then as varints the start after the job's event
  [ms], the duration [us], the time until it was recorded [ms], and the attempt of the bundle that ran it. A note that
  is that of the task before has no length: a bundle of unknown names takes no more than one of them.
- Columns, for a whole bundle of plain results: 0xC2, the number of tasks, and for each of the same four numbers its
  least, the width of what is above the least [bytes, 0 to 8], and for each task what is above, little-endian.
  0xC3 if some of them say something: then follow the tasks' values and their ids, each of the two as the size of a JSON
  array with null where there is none [bytes, 0 if nobody has one] and the array.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from cloudkon.errors import WireError
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import JsonText, Results, TaskResult, TaskState

_COLUMNS, _COLUMNS_THAT_SAY = 0xC2, 0xC3
"""No head bytes of a task: those are below 0x20."""
MAX_COLUMN_TASKS = 65_536
"""More than any bundle holds: a damaged row must not take memory for more."""
_LEAST_COLUMN_TASKS = 8
"""Fewer take fewer bytes one by one."""
_WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_STATE, _HAS_RUNS, _HAS_NOTE = 0b0111, 0b1000, 0b1_0000


_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_STATES = {state.value: state for state in TaskState}
_NOTHING: dict[str, Any] = {}


def pack_results(results: Results, base_ms: int) -> bytes:
    """Write the results as bytes; times are kept relative to base_ms, the time of the job's event."""
    if isinstance(results, tuple) and not any(results):
        return bytes(len(results))  # as one by one, at a fraction of its cost: every bundle is claimed with none
    if len(results) >= _LEAST_COLUMN_TASKS:
        columns = results if isinstance(results, ResultColumns) else ResultColumns.of(results)
        if columns.are_plain and columns.are_recorded:
            return _pack_columns(columns, base_ms)
    return _pack_one_by_one(results, base_ms)


def _pack_columns(columns: ResultColumns, base_ms: int) -> bytes:
    says = bool(columns.values or columns.ids)
    out = bytearray((_COLUMNS_THAT_SAY if says else _COLUMNS,))
    _put(out, len(columns))
    _put_column(out, columns.starts_ms, base_ms)
    _put_column(out, columns.durations_us, 0)
    _put_column(out, columns.recorded_ms, base_ms)
    _put_column(out, columns.attempts, 0)
    if says:
        _put_array(out, columns.values, len(columns))
        _put_array(out, columns.ids, len(columns))
    return bytes(out)


def _put_array(out: bytearray, parts: Mapping[int, Any], size: int) -> None:
    texts = [_compact_json(parts[at]) if at in parts else "null" for at in range(size)] if parts else []
    array = f"[{','.join(texts)}]".encode(errors="surrogatepass") if parts else b""
    _put(out, len(array))
    out += array


def _compact_json(value: Any) -> str:
    # Half a surrogate pair is what a handler may return, and what json.loads takes.
    return value.text if isinstance(value, JsonText) else _COMPACT.encode(value)


def _put_column(out: bytearray, numbers: Sequence[int], base: int) -> None:
    least = min(numbers)
    above = max(numbers) - least
    width = next(width for width in (0, *_WIDTHS) if above < 1 << 8 * width)
    _put(out, _zigzag(least - base))
    out.append(width)
    if width:
        out += struct.pack(f"<{len(numbers)}{_WIDTHS[width]}", *[number - least for number in numbers])


def _pack_one_by_one(results: Results, base_ms: int) -> bytes:
    out = bytearray()
    last_note = b""
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
        if note and note == last_note:
            _put(out, 0)
        elif note:
            _put(out, len(note))
            out += note
            last_note = note
    return bytes(out)


def unpack_results(packed: bytes, base_ms: int) -> Results:
    """Read what pack_results wrote; raise WireError when the bytes are not a whole number of results."""
    try:
        if packed and packed[0] in (_COLUMNS, _COLUMNS_THAT_SAY):
            return _unpack_columns(packed, base_ms)
        return _unpack_one_by_one(packed, base_ms)
    except (IndexError, KeyError, RecursionError, ValueError, struct.error) as error:
        raise WireError(f"The results of a bundle can't be read: {error}.") from error


def _unpack_columns(packed: bytes, base_ms: int) -> ResultColumns:
    size, at = _get(packed, 1)
    if not 0 < size <= MAX_COLUMN_TASKS:
        raise ValueError(f"they are said to be of {size} tasks")
    starts_ms, at = _get_column(packed, at, size, base_ms)
    durations_us, at = _get_column(packed, at, size, 0)
    recorded_ms, at = _get_column(packed, at, size, base_ms)
    attempts, at = _get_column(packed, at, size, 0)
    values: dict[int, Any] = {}
    ids: dict[int, Any] = {}
    if packed[0] == _COLUMNS_THAT_SAY:
        values, at = _get_array(packed, at, size)
        ids, at = _get_array(packed, at, size)
    if at != len(packed):
        raise ValueError("there is more than their columns")
    return ResultColumns.of_plain(starts_ms, durations_us, recorded_ms, attempts, values, ids)


def _get_array(packed: bytes, at: int, size: int) -> tuple[dict[int, Any], int]:
    length, at = _get(packed, at)
    if not length:
        return {}, at
    if at + length > len(packed):
        raise IndexError("they end within an array")
    parts = json.loads(packed[at : at + length])
    if not isinstance(parts, list) or len(parts) != size:
        raise ValueError(f"an array is not of {size} parts")
    return {place: part for place, part in enumerate(parts) if part is not None}, at + length


def _get_column(packed: bytes, at: int, size: int, base: int) -> tuple[list[int], int]:
    above, at = _get(packed, at)
    least, width = base + _unzigzag(above), packed[at]
    at += 1
    if not width:
        return [least] * size, at
    numbers = struct.unpack_from(f"<{size}{_WIDTHS[width]}", packed, at)
    return [least + number for number in numbers], at + width * size


def _unpack_one_by_one(packed: bytes, base_ms: int) -> list[TaskResult | None]:
    if not any(packed):
        return [None] * len(packed)
    results: list[TaskResult | None] = []
    at, note = 0, _NOTHING
    while at < len(packed):
        head = packed[at]
        at += 1
        if head == 0:
            results.append(None)
            continue
        result, at, note = _unpack_one(head, packed, at, base_ms, note)
        results.append(result)
    return results


def _unpack_one(
    head: int, packed: bytes, at: int, base_ms: int, last_note: dict[str, Any]
) -> tuple[TaskResult, int, dict[str, Any]]:
    start, at = _get(packed, at)
    duration_us, at = _get(packed, at)
    lag, at = _get(packed, at)
    attempt, at = _get(packed, at)
    runs = 1
    if head & _HAS_RUNS:
        runs, at = _get(packed, at)
    note = _NOTHING
    if head & _HAS_NOTE:
        note, at = _get_note(packed, at, last_note)
        if not isinstance(note, dict):
            raise ValueError("a note is not an object")
        last_note = note
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
        log=note.get("l"),
        log_key=note.get("k"),
        raised_at=note.get("w"),
    )
    return result, at, last_note


def _get_note(packed: bytes, at: int, last_note: dict[str, Any]) -> tuple[Any, int]:
    size, at = _get(packed, at)
    if not size:
        return last_note, at
    if at + size > len(packed):
        raise IndexError("they end within a note")
    return json.loads(packed[at : at + size]), at + size


def _note(result: TaskResult) -> bytes:
    error, value, output, task_id, phases_ms = result.error, result.value, result.output, result.id, result.phases_ms
    log, log_key, raised_at = result.log, result.log_key, result.raised_at
    if all(part is None for part in (error, value, output, task_id, phases_ms, log, log_key)):
        return b""
    frozen, value = (value.text, None) if isinstance(value, JsonText) else (None, value)
    parts = {"e": error, "v": value, "o": output, "i": task_id, "s": phases_ms, "l": log, "k": log_key, "w": raised_at}
    kept = {key: part for key, part in parts.items() if part is not None}
    note = _COMPACT.encode(kept)
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
