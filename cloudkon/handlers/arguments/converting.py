"""What turns a word, or a value out of JSON, into what an annotation asks for.

A converter takes a value and returns another, or raises ValueError with what was expected. It is made once for each
parameter of a handler. What has structure, such as a dataclass, is structures.py's.
"""

import collections.abc
import contextlib
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import pathlib
import types
import typing
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from cloudkon.handlers.arguments.structures import Converter, from_json, structure

_BOOLS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}
_FROM_TEXT: dict[Any, tuple[Converter, str]] = {
    dt.datetime: (dt.datetime.fromisoformat, "a date and time such as 2026-01-31T12:00:00"),
    dt.date: (dt.date.fromisoformat, "a date such as 2026-01-31"),
    dt.time: (dt.time.fromisoformat, "a time such as 12:00:00"),
    decimal.Decimal: (decimal.Decimal, "a decimal number"),
    fractions.Fraction: (fractions.Fraction, "a fraction"),
    uuid.UUID: (uuid.UUID, "a UUID"),
    ipaddress.IPv4Address: (ipaddress.IPv4Address, "an IPv4 address"),
    ipaddress.IPv6Address: (ipaddress.IPv6Address, "an IPv6 address"),
    bytes: (str.encode, "text"),
    **{kind: (kind, "a path") for kind in (pathlib.Path, pathlib.PurePath, pathlib.PosixPath, pathlib.PurePosixPath)},
}
_LISTS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: frozenset,
}
_ANYTHING = (Any, object, None)


def converter(annotation: Any) -> Converter | None:
    """The converter for an annotation; None where every value is taken as it is."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _ANYTHING or isinstance(annotation, typing.TypeVar):
        return None
    if origin is typing.Annotated and not _is_bounded(arguments[1:]):
        return converter(arguments[0])
    if isinstance(annotation, typing.NewType):
        return converter(annotation.__supertype__)
    if origin in {typing.Union, types.UnionType}:
        return _one_of(arguments)
    return _list_like(origin or annotation, arguments) or _within(annotation) or structure(annotation, _within)


def _is_bounded(extras: Sequence[Any]) -> bool:
    """Whether msgspec has to look at the value: its Meta says what it may be."""
    import msgspec  # noqa: PLC0415 (few annotations have extras)

    return any(isinstance(extra, msgspec.Meta) for extra in extras)


def _list_like(kind: Any, arguments: Sequence[Any]) -> Converter | None:
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        return _tuple([converter(one) for one in arguments])
    if isinstance(kind, collections.abc.Hashable) and kind in _LISTS:
        return _list(_LISTS[kind], converter(arguments[0]) if arguments else None)
    return None


def _within(kind: Any) -> Converter | None:
    """The converter for what has no parts, alone or within a structure that does not know it."""
    if typing.get_origin(kind) is typing.Literal:
        return _literal(typing.get_args(kind))
    return _enum(kind) if isinstance(kind, enum.EnumType) else _scalar(kind)


def _scalar(kind: Any) -> Converter | None:
    if kind in _FROM_TEXT:
        return _from_text(kind, *_FROM_TEXT[kind])
    return _OF_JSON.get(kind)


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise ValueError("text was expected")


def _int(value: Any) -> Any:
    try:
        if isinstance(value, str):
            return int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and int(value) == value:
            return int(value)
    except (ValueError, OverflowError):
        pass  # told below; suppress() takes as long as the conversion
    raise ValueError("a whole number was expected")


def _float(value: Any) -> Any:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass  # as above
    raise ValueError("a number was expected")


def _bool(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int) and (known := _BOOLS.get(str(value).lower())) is not None:
        return known
    raise ValueError("true or false was expected")


_OF_JSON: dict[Any, Converter] = {str: _text, int: _int, float: _float, bool: _bool}


def _from_text(kind: Any, read: Converter, what: str) -> Converter:
    numbers = kind in {decimal.Decimal, fractions.Fraction}

    def convert(value: Any) -> Any:
        if isinstance(value, str) or (numbers and isinstance(value, int | float) and not isinstance(value, bool)):
            with contextlib.suppress(ValueError, ArithmeticError):
                return read(str(value))
        raise ValueError(f"{what} was expected")

    return convert


def _literal(choices: Sequence[Any]) -> Converter:
    exact = {(type(choice), choice): choice for choice in choices}
    words = {_word_of(choice): choice for choice in reversed(choices)}
    expected = f"one of {', '.join(_word_of(choice) for choice in choices)} was expected"

    def convert(value: Any) -> Any:
        try:
            return exact[type(value), value] if (type(value), value) in exact else words[value]
        except (KeyError, TypeError):
            raise ValueError(expected) from None

    return convert


def _enum(kind: enum.EnumType) -> Converter:
    members: list[Any] = list(kind.__members__.values())
    words: dict[str, Any] = dict(kind.__members__.items())
    words |= {_word_of(member.value): member for member in reversed(members)}
    expected = f"one of {', '.join(_word_of(member.value) for member in members)} was expected"

    def convert(value: Any) -> Any:
        for member in members:
            if type(member.value) is type(value) and member.value == value:
                return member
        if isinstance(value, str) and value in words:
            return words[value]
        raise ValueError(expected)

    return convert


def _word_of(value: Any) -> str:
    """How a constant is written in a line of words."""
    value = value.value if isinstance(value, enum.Enum) else value
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _one_of(choices: Sequence[Any]) -> Converter | None:
    """A word becomes the first that it can be; text, which everything can be, is tried last."""
    none, text = type(None) in choices, str in choices
    converters = [(kind, converter(kind)) for kind in choices if kind not in {type(None), str}]
    if any(convert is None for _, convert in converters):
        return None

    def convert(value: Any) -> Any:
        if (value is None and none) or (text and isinstance(value, str) and not converters):
            return value
        for kind, _ in converters:
            if type(value) is kind:
                return value
        expected = []
        for _, attempt in converters:
            try:
                return attempt(value) if attempt else value
            except ValueError as error:
                expected.append(str(error).removesuffix(" was expected"))
        if text and isinstance(value, str):
            return value
        if none and isinstance(value, str) and value.lower() in {"null", "none"}:
            return None
        raise ValueError(f"{' or '.join([*expected, *['text'] * text, *['null'] * none])} was expected")

    return convert


def _list(make: Callable[[list[Any]], Any], convert_item: Converter | None) -> Converter:
    def convert(value: Any) -> Any:
        items = _items(value)
        return make(items if convert_item is None else _converted(items, [convert_item] * len(items)))

    return convert


def _tuple(kinds: Sequence[Converter | None]) -> Converter:
    def convert(value: Any) -> Any:
        items = _items(value)
        if len(items) != len(kinds):
            raise ValueError(f"a list of {len(kinds)} was expected")
        return tuple(_converted(items, kinds))

    return convert


def _items(value: Any) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = from_json(value)
    elif isinstance(value, str):
        value = [item.strip() for item in value.split(",")] if value else []
    if isinstance(value, list):
        return value
    raise ValueError("a list was expected")


def _converted(items: Sequence[Any], converters: Sequence[Converter | None]) -> list[Any]:
    converted = []
    for number, (item, convert) in enumerate(zip(items, converters, strict=True), start=1):
        try:
            converted.append(item if convert is None else convert(item))
        except ValueError as error:
            raise ValueError(f"{error} as item {number}") from None
    return converted
