"""From a call to a line of a workload: what JSON can't carry is refused, with its place, before anything runs."""

import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from cloudkon.errors import InputError
from cloudkon.wording import type_name
from cloudkon.workload.task_line import MAX_DEPTH, MAX_LINE_BYTES

_TAKEN = frozenset({"task", "args", "id"})
"""Keys of a line that are no arguments."""
_MOST_BITS = 14_000
"""What Python reads back: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits."""
_AROUND = 2
"""The line's own object, and its list of arguments."""
_CURES = {
    "PosixPath": "pass str(path); the annotation Path makes it one again",
    "date": "pass its isoformat(); the annotation date makes it one again",
    "datetime": "pass its isoformat(); the annotation datetime makes it one again",
    "Decimal": "pass str(number); the annotation Decimal makes it one again",
    "UUID": "pass str(uuid); the annotation UUID makes it one again",
    "set": "pass sorted(...), a list; the annotation set makes it one again",
    "ndarray": "pass array.tolist()",
    "bytes": "pass text, or the name of a file",
}


def call_line(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], place: str) -> str:
    """The line that calls a function with these arguments; raise InputError that begins with the place."""
    if taken := _TAKEN & kwargs.keys():
        raise InputError(f"{place}: an argument named {min(taken)!r} can only be passed by its place.")
    for number, argument in enumerate(args, start=1):
        _check(argument, f"{place}, argument {number}" if len(args) > 1 else place, _AROUND)
    for key, argument in kwargs.items():
        _check(argument, f"{place}, argument {key}", _AROUND)
    line = json.dumps({"task": name, "args": args, **kwargs})
    if len(line) > MAX_LINE_BYTES:
        raise InputError(
            f"{place}: its arguments take {len(line):,} bytes, and a task has at most {MAX_LINE_BYTES:,}. Put them "
            "into a file, or a bucket, and pass its name."
        )
    return line


def _check(value: Any, place: str, depth: int) -> None:
    """Raise InputError at the first part of a value that would not arrive as it is."""
    if depth > MAX_DEPTH:
        raise InputError(f"{place}: it is nested more than {MAX_DEPTH} deep, or holds itself.")
    match value:
        case Enum():
            raise _refusal(value, place, f"pass {type_name(value)}.{value.name}.value")
        case None | bool():
            pass
        case str():
            _check_text(value, place)
        case int() | float():
            _check_number(value, place)
        case list() | tuple():
            for number, item in enumerate(value):
                _check(item, f"{place}[{number}]", depth + 1)
        case dict():
            _check_object(value, place, depth)
        case _:
            raise _refusal(value, place, _CURES.get(type_name(value), "pass what describes it: text, numbers, a dict"))


def _check_object(value: Mapping[Any, Any], place: str, depth: int) -> None:
    for key, item in value.items():
        if not isinstance(key, str) or isinstance(key, Enum):
            raise InputError(f"{place}: the key {key!r:.80} is no text, as those of JSON are.")
        _check_text(key, place)
        _check(item, f"{place}[{key!r:.80}]", depth + 1)


def _check_number(value: float, place: str) -> None:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise InputError(f"{place}: a number of thousands of digits can't be read back from JSON.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{place}: {value} is no number in JSON.")


def _check_text(text: str, place: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{place}: it holds half of a surrogate pair, which is no character.") from None


def _refusal(value: Any, place: str, cure: str) -> InputError:
    return InputError(f"{place}: JSON can't carry a value of type {type_name(value)}: {cure}.")
