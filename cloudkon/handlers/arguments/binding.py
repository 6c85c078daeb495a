"""Binds a task's arguments to its handler's parameters, each as its annotation asks for.

A handler is looked at once, when it is loaded. What can't be bound is refused before the handler runs.
"""

import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from cloudkon.errors import InputError, TaskRejectedError
from cloudkon.handlers.arguments.converting import converter
from cloudkon.handlers.arguments.structures import Converter
from cloudkon.wording import error_text

_SHOWN_CHARACTERS = 80


class ArgumentError(TaskRejectedError):
    """A task's arguments do not fit its handler."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    convert: Converter | None
    required: bool


@dataclass(slots=True)
class Binder:
    """A handler's parameters, and what may be given for them."""

    positional: list[_Parameter] = field(default_factory=list)
    """Those that may be given by place, in their order."""
    by_name: dict[str, _Parameter] = field(default_factory=dict)
    rest: _Parameter | None = None
    """*args"""
    named_rest: _Parameter | None = None
    """**kwargs"""
    least: int = 0
    """So many by place leave no gap."""
    plain: bool = True
    """Nothing is converted, and nothing has to be given by name."""

    def __post_init__(self) -> None:
        needed = [place for place, parameter in enumerate(self.positional, start=1) if parameter.required]
        self.least = needed[-1] if needed else 0
        everything = [*self.positional, *self.by_name.values(), *(one for one in (self.rest, self.named_rest) if one)]
        only_named = [parameter for parameter in self.by_name.values() if parameter not in self.positional]
        self.plain = all(one.convert is None for one in everything) and not any(one.required for one in only_named)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """The arguments to call the handler with; raise ArgumentError if there are none."""
        if self.plain and not kwargs and self.least <= len(args) <= len(self.positional):
            return args, kwargs
        if self.rest is None and len(args) > len(self.positional):
            most = len(self.positional)
            words = "argument" if most == 1 else "arguments"
            raise ArgumentError(f"it takes at most {most} {words}: {self}; {len(args)} are given")
        bound = [
            value if parameter.convert is None else _converted(parameter, value)
            for parameter, value in zip(self.positional, args, strict=False)
        ]
        if self.rest is not None:
            bound += [_converted(self.rest, value) for value in args[len(self.positional) :]]
        named = {name: self._named(name, value, len(args)) for name, value in kwargs.items()} if kwargs else kwargs
        if len(args) < self.least or len(self.by_name) > len(self.positional):
            self._refuse_gaps(len(args), kwargs)
        return bound, named

    def named(self, args: Sequence[Any]) -> dict[str, Any]:
        """The arguments that are given by place, with the names of their parameters."""
        named = {parameter.name: value for parameter, value in zip(self.positional, args, strict=False)}
        more = args[len(self.positional) :]
        return named | ({f"*{self.rest.name}": tuple(more)} if self.rest is not None and more else {})

    def _named(self, name: str, value: Any, places: int) -> Any:
        if any(parameter.name == name for parameter in self.positional[:places]) and name in self.by_name:
            raise ArgumentError(f"argument {name} is given twice, by its place and by its name")
        parameter = self.by_name.get(name, self.named_rest)
        if parameter is None:
            raise ArgumentError(f"it has no argument {name[:_SHOWN_CHARACTERS]!r}: {self}")
        return value if parameter.convert is None else _converted(parameter, value, name)

    def _refuse_gaps(self, places: int, kwargs: Mapping[str, Any]) -> None:
        by_place = self.positional[places:]
        only_named = [parameter for parameter in self.by_name.values() if parameter not in self.positional]
        for parameter in (*by_place, *only_named):
            given = parameter.name in kwargs and parameter.name in self.by_name
            if parameter.required and not given:
                raise ArgumentError(f"argument {parameter.name} is missing: {self}")

    def __str__(self) -> str:
        """As in: it takes name [surname] [greeting=]."""
        only_named = [parameter for parameter in self.by_name.values() if parameter not in self.positional]
        words = [parameter.name if parameter.required else f"[{parameter.name}]" for parameter in self.positional]
        words += [f"[{self.rest.name} ...]"] if self.rest else []
        words += [f"{parameter.name}=" if parameter.required else f"[{parameter.name}=]" for parameter in only_named]
        words += [f"[{self.named_rest.name}=...]"] if self.named_rest else []
        return f"it takes {' '.join(words) or 'none'}"


def binder(function: Any, name: str) -> Binder:
    """Look at a handler's parameters; raise InputError for annotations that name nothing."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, without a signature
        anything = [_Parameter(kind, None, required=False) for kind in ("args", "kwargs")]
        return Binder(rest=anything[0], named_rest=anything[1])
    kinds = _annotations(function, parameters, name)
    positional, by_name, rest, named_rest = [], {}, None, None
    for one in parameters:
        kind = kinds.get(one.name, Any)
        convert = converter(kind | None if one.default is None and isinstance(kind, type) else kind)
        parameter = _Parameter(one.name, convert, one.default is one.empty)
        match one.kind:
            case one.VAR_POSITIONAL:
                rest = parameter
            case one.VAR_KEYWORD:
                named_rest = _Parameter(one.name, None if _is_unpacked(kind) else convert, required=False)
            case one.KEYWORD_ONLY:
                by_name[one.name] = parameter
            case _:
                positional.append(parameter)
                if one.kind is one.POSITIONAL_OR_KEYWORD:
                    by_name[one.name] = parameter
    return Binder(positional, by_name, rest, named_rest)


def _is_unpacked(kind: Any) -> bool:
    return typing.get_origin(kind) is typing.Unpack


def _annotations(function: Any, parameters: typing.Iterable[inspect.Parameter], name: str) -> dict[str, Any]:
    """The parameters' annotations, and those written as text evaluated where the handler was defined."""
    written = {one.name: one.annotation for one in parameters if one.annotation is not one.empty}
    try:
        return typing.get_type_hints(
            SimpleNamespace(__annotations__=written), globalns=_globals(function), include_extras=True
        )
    except Exception as error:
        raise InputError(
            f"@task({name!r}): an annotation of {getattr(function, '__qualname__', name)} can't be used: "
            f"{error_text(error)}. Import what it names, also at run time."
        ) from error


def _globals(function: Any) -> dict[str, Any]:
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    if not hasattr(function, "__globals__"):
        function = inspect.unwrap(vars(type(function)).get("__call__", function))
    found: dict[str, Any] = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__globals__", {})
    return found


def _converted(parameter: _Parameter, value: Any, name: str | None = None) -> Any:
    convert = parameter.convert
    if convert is None:
        return value
    try:
        return convert(value)
    except BaseException as error:
        raise ArgumentError(f"argument {name or parameter.name}: {error_text(error)}, not {_shown(value)}") from error


def _shown(value: Any) -> str:
    """A value out of a line: text or JSON, so that its repr is safe."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
