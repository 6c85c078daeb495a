"""What a task returned, from what is recorded of it: read from the store if it is large, converted as annotated."""

import json
import typing
from collections.abc import Callable
from typing import Any

from cloudkon.handlers.arguments.converting import converter
from cloudkon.ledger.results import RETURNED_BYTES, TaskResult
from cloudkon.ports import ObjectStore

Convert = Callable[[Any], Any]


def value_of(result: TaskResult, store: ObjectStore, job: str) -> Any:
    """The value as JSON holds it; bytes as they are. Raises NotFoundError if the store has it no more."""
    place, output, value = f"values/{job}", result.output, result.value
    if isinstance(value, dict) and value.keys() == {"key"} and str(value["key"]).startswith(place):
        return _stored(store, value["key"])
    if value is None and output is not None and output.startswith(place):
        return _stored(store, output)
    if value is None and output is not None and output.endswith(f"/{RETURNED_BYTES}"):
        return b"".join(store.read(output))
    return value


def _stored(store: ObjectStore, key: str) -> Any:
    return json.loads(b"".join(store.read(key)))


def as_annotated(function: Callable[..., Any]) -> Convert:
    """What makes of a recorded value what the function is annotated to return; without an annotation it stays."""
    try:
        annotation = typing.get_type_hints(function).get("return")
        convert = None if annotation is None or _holds_bytes(annotation) else converter(annotation)
    except Exception:  # noqa: BLE001 (an annotation that names nothing at run time: the value is JSON's)
        convert = None
    return _unchanged if convert is None else _converting(convert)


def _unchanged(value: Any) -> Any:
    return value


def _converting(convert: Convert) -> Convert:
    def converted(value: Any) -> Any:
        if value is None or isinstance(value, bytes):
            return value
        try:
            return convert(value)
        except ValueError:
            return value  # it was annotated wrongly, and is what it is

    return converted


def _holds_bytes(annotation: Any) -> bool:
    """Bytes within another value are recorded in base64, which an annotation does not tell from text."""
    return "bytes" in repr(annotation)
