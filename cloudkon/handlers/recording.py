"""What a handler returns, as the JSON that is recorded; docs/workloads.md says which becomes what.

The value is walked once, when the handler has returned, and copied into text: what its author does with it later
changes nothing.
"""

import base64
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import json
import math
import os
import uuid
from collections.abc import Callable, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any

from cloudkon.ledger.results import JsonText
from cloudkon.wording import error_text, type_name

MAX_DEPTH = 200
"""Lists and objects within each other; whoever reads it has a stack of his own."""
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""Made once: json.dumps makes one for each value, which takes longer than most values."""
_PLAIN = frozenset({type(None), bool, int, str})


class UnrecordableError(Exception):
    """A value has no form in JSON; the message is the task's error."""


def recorded(value: object) -> JsonText:
    """A value as JSON; raise UnrecordableError, which names what stands in the way, if it has no such form."""
    try:
        return JsonText(_dumped(_plain(value, 0)))
    except UnrecordableError as error:
        raise UnrecordableError(f"returned {_a(value)}, which can't be recorded{error}") from None
    except BaseException as error:
        reason = f"{type_name(error)}: {error_text(error)}"
        raise UnrecordableError(f"returned {_a(value)}, which can't be recorded: {reason}") from error


def _dumped(plain: Any) -> str:
    text = _COMPACT.encode(plain)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can write
        return json.dumps(plain, separators=(",", ":"))
    return text


def _a(value: object) -> str:
    name = type_name(value)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else _not_finite(value)
    if depth >= MAX_DEPTH:
        raise UnrecordableError(f": it is nested more than {MAX_DEPTH} deep, or holds itself")
    if kind is list or kind is tuple:
        return [_plain(item, depth + 1) for item in tuple(value)]
    if kind is dict:
        return _object(value, depth)
    return _other(value, depth)


def _not_finite(value: float) -> str:
    """As the JSON form of protocol buffers has them: https://protobuf.dev/programming-guides/json."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in list(value.items()):
        name = key if type(key) is str else _key(key)
        if name in plain:
            raise UnrecordableError(f": two of its keys are {name[:80]!r} in JSON")
        plain[name] = _plain(item, depth + 1)
    return plain


def _key(key: Any) -> str:
    """A key that is no string, as the same value is recorded; JSON writes none, true and numbers as text here."""
    if isinstance(key, enum.Enum):
        return _key(key.value)
    if (text := _text(key)) is not None:
        return text
    if key is None or isinstance(key, int | float):
        number = _plain(key, 0)
        return number if isinstance(number, str) else json.dumps(number)
    raise UnrecordableError(f": {_a(key)} can't be a key")


def _other(value: Any, depth: int) -> Any:
    """What is no plain JSON; a subclass of something that is, is recorded as that."""
    if isinstance(value, enum.Enum):
        return _plain(value.value, depth + 1)
    if isinstance(value, float):
        return _plain(float.__add__(value, 0.0), depth)
    if isinstance(value, int):
        return int.__index__(value)
    text = _text(value)
    return _compound(value, depth) if text is None else text


def _duration(value: dt.timedelta) -> str:
    """ISO 8601, in days and seconds."""
    sign, value = ("-", -value) if value < dt.timedelta(0) else ("", value)
    seconds = f"{value.seconds}.{value.microseconds:06d}".rstrip("0") if value.microseconds else f"{value.seconds}"
    return f"{sign}P{f'{value.days}D' if value.days else ''}T{seconds}S"


_AS_TEXT: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (str, str.__str__),
    (dt.datetime, dt.datetime.isoformat),
    (dt.date, dt.date.isoformat),
    (dt.time, dt.time.isoformat),
    (dt.timedelta, _duration),
    (uuid.UUID, str),
    (decimal.Decimal, str),
    (fractions.Fraction, str),
    (ipaddress.IPv4Address, str),
    (ipaddress.IPv6Address, str),
    ((bytes, bytearray, memoryview), lambda value: base64.b64encode(value).decode()),
)


def _text(value: Any) -> str | None:
    for kind, written in _AS_TEXT:
        if isinstance(value, kind):
            return written(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    return None


def _compound(value: Any, depth: int) -> Any:
    fields = _fields(value)
    if fields is not None:
        return _plain(fields, depth)
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, AbstractSet):
        return _in_order([_plain(item, depth + 1) for item in tuple(value)])
    if isinstance(value, Sequence | ValuesView):
        return [_plain(item, depth + 1) for item in tuple(value)]
    raise UnrecordableError(_advice(value, depth))


def _fields(value: Any) -> Any:
    """The fields of a dataclass, of attrs, msgspec, pydantic, a named tuple; the numbers of numpy and its like."""
    kind = type(value)
    names: Any = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "__struct_fields__", None)
    names = names or getattr(kind, "_fields", None) if isinstance(value, tuple) else names
    if (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
        names = [attribute.name for attribute in attributes]
    if names is not None:
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if hasattr(kind, "model_dump"):
        return value.model_dump()
    if hasattr(kind, "dtype") and hasattr(kind, "tolist"):
        return value.tolist()
    return None


def _in_order(items: list[Any]) -> list[Any]:
    """A set's items in an order that is the same in every run."""
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _advice(value: Any, depth: int) -> str:
    where = f" (it holds {_a(value)})" if depth else ""
    if hasattr(type(value), "__next__") or hasattr(type(value), "__anext__"):
        return f"{where}: its work has not been done; return list(...) of it"
    return where
