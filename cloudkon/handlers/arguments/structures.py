"""What turns JSON into an object with fields: a dataclass, attrs, a named tuple, a typed dict, a model of pydantic."""

import json
from collections.abc import Callable
from typing import Any

Converter = Callable[[Any], Any]


def structure(kind: Any, within: Callable[[Any], Converter | None]) -> Converter:
    """The converter for a type with fields, of which within converts those that msgspec does not know.

    For a class that no workload can hold an object of, it refuses everything: the parameter may have a default.
    """
    import msgspec  # noqa: PLC0415 (only for handlers that take structures)

    validate = getattr(kind, "model_validate", None)
    fields = frozenset(getattr(kind, "__dataclass_fields__", ()))

    def inner(kind: Any, value: Any) -> Any:
        if isinstance(kind, type) and isinstance(value, kind):
            return value
        convert = within(kind)
        if convert is None:
            raise ValueError(f"no workload can hold a {_name_of(kind)}")
        return convert(value)

    def convert(value: Any) -> Any:
        if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            value = from_json(value)
        if validate is not None:
            return validate(value)
        if fields and isinstance(value, dict) and (unknown := value.keys() - fields):
            raise ValueError(f"{_name_of(kind)} has no {', '.join(sorted(unknown))}")
        try:
            return msgspec.convert(value, kind, strict=False, dec_hook=inner)
        except msgspec.ValidationError as error:
            raise ValueError(f"{_name_of(kind)} was expected: {error}") from None
        except TypeError as error:  # msgspec can't tell what it is
            raise ValueError(f"no workload can hold a {_name_of(kind)}: {error}") from None

    return convert


def from_json(text: str) -> Any:
    """Read a word as JSON; raise ValueError if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("JSON was expected") from None


def _name_of(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))[:100]
