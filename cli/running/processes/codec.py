"""What a worker's process and its parent say to each other, as JSON: calls of ports, their answers and their errors.

Only the values that ports name can be written or read: plain ones, and the dataclasses and enumerations of the modules
below. A bundle's results travel as the ledger packs them.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from types import ModuleType
from typing import Any

from cloudkon import errors, ports
from cloudkon.ledger import bundle, fleet, job, lease, results, task_times
from cloudkon.ledger.packed_results import pack_results, unpack_results
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import Results, TaskResult
from cloudkon.telemetry import tracing

_MODULES = (bundle, fleet, job, lease, ports, results, task_times, tracing)
_BYTES, _CLASS, _ENUM, _MAPPING, _RESULTS, _TUPLE = "b", "c", "e", "m", "r", "t"
_BASE_MS = 0
"""Of the stamps of results that travel; the ledger packs them anew with its own."""


def _classes(module: ModuleType) -> list[type]:
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and (is_dataclass(each) or _is_enum(each))
    ]


def _is_enum(each: type) -> bool:
    return issubclass(each, Enum)


_KNOWN = {each.__name__: each for module in _MODULES for each in _classes(module)}
_ERRORS: dict[str, type[Exception]] = {"ValueError": ValueError} | {
    each.__name__: each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.CloudKonError)
}


class ParentFailedError(Exception):
    """The parent raised something that no port raises: a mistake of ours, whose message is told."""


def encode_call(port: str, verb: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> bytes:
    return _dumped([port, verb, _plain(tuple(arguments)), _plain(dict(options))])


def decode_call(message: bytes) -> tuple[str, str, tuple[Any, ...], dict[str, Any]]:
    port, verb, arguments, options = json.loads(message)
    return port, verb, _value(arguments), _value(options)


def encode_answer(answer: Any) -> bytes:
    return _dumped([None, _plain(answer)])


def encode_error(error: Exception) -> bytes:
    known = type(error).__name__ if type(error).__name__ in _ERRORS else None
    return _dumped([known or "", str(error) if known else f"{type(error).__name__}: {error}"])


def decode_answer(message: bytes) -> Any:
    """The answer; raises the port's error if it is one."""
    error, answer = json.loads(message)
    if error is None:
        return _value(answer)
    raise _ERRORS[error](answer) if error else ParentFailedError(answer)


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, ResultColumns) or (isinstance(value, list | tuple) and _holds_results(value)):
        return {_RESULTS: _text(pack_results(value, _BASE_MS))}
    if isinstance(value, list | tuple):
        plain = [_plain(part) for part in value]
        return {_TUPLE: plain} if isinstance(value, tuple) else plain
    return _tagged(value)


def _holds_results(value: Sequence[Any]) -> bool:
    return any(isinstance(part, TaskResult) for part in value)


def _results(content: str) -> Results:
    results = unpack_results(base64.b64decode(content), _BASE_MS)
    return results if isinstance(results, ResultColumns) else tuple(results)


def _tagged(value: Any) -> dict[str, Any]:
    name = type(value).__name__
    match value:
        case Enum():
            return {_ENUM: [name, value.value]}
        case bytes():
            return {_BYTES: _text(value)}
        case Mapping():
            return {_MAPPING: [[_plain(key), _plain(part)] for key, part in value.items()]}
        case _ if name in _KNOWN:
            return {_CLASS: [name, *(_plain(getattr(value, field.name)) for field in fields(value))]}
    raise TypeError(f"A {name} can't be told to another process.")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _value(plain: Any) -> Any:
    if isinstance(plain, list):
        return list(map(_value, plain))
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    return _READERS[kind](content)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    _BYTES: base64.b64decode,
    _CLASS: lambda content: _KNOWN[content[0]](*map(_value, content[1:])),
    _ENUM: lambda content: _KNOWN[content[0]](content[1]),
    _MAPPING: lambda content: {_value(key): _value(part) for key, part in content},
    _TUPLE: lambda content: tuple(map(_value, content)),
    _RESULTS: _results,
}
