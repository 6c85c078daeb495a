from __future__ import annotations

import datetime as dt
import enum
import functools
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cloudkon import task
from cloudkon.errors import InputError
from cloudkon.handlers.arguments.binding import ArgumentError
from cloudkon.handlers.registry import Registry
from cloudkon.workload.task_line import parse_task


class Colour(enum.Enum):
    RED = "red"
    DEEP_BLUE = "deep-blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass
class Point:
    x: int
    y: float = 0.5
    colour: Colour = Colour.RED
    place: Path | None = None
    parts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.x > 99:
            raise SystemExit("too far")


Metres = typing.NewType("Metres", float)


def given(annotation: Any, line: str, **options: Any) -> Any:
    """What a handler whose one parameter has this annotation gets from a line."""

    def handler(value: Any) -> Any:
        return (value,)

    handler.__annotations__ = {"value": annotation}
    registry = Registry([task("t")(handler)])
    called = registry.find(parse_task(line))
    args, kwargs = called.bind(parse_task(line))
    return handler(*args, **kwargs)[0]


@pytest.mark.parametrize(
    ("annotation", "word", "expected"),
    [
        (str, "3", "3"),
        (int, "-3", -3),
        (int, "9" * 30, int("9" * 30)),
        (float, "2.5", 2.5),
        (float, "1e3", 1000.0),
        (bool, "yes", True),
        (bool, "False", False),
        (Any, "3", "3"),
        (object, "3", "3"),
        (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
        (dt.datetime, "2026-01-31T10:00:00+00:00", dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)),
        (dt.time, "10:30", dt.time(10, 30)),
        (dt.timedelta, "90", dt.timedelta(seconds=90)),
        (Path, "a/b.png", Path("a/b.png")),
        (Decimal, "1.10", Decimal("1.10")),
        (uuid.UUID, "12345678123456781234567812345678", uuid.UUID(int=0x12345678123456781234567812345678)),
        (bytes, "abc", b"abc"),
        (typing.Literal["fast", 2, True], "2", 2),
        (typing.Literal["fast", 2, True], "true", True),
        (Colour, "deep-blue", Colour.DEEP_BLUE),
        (Colour, "RED", Colour.RED),
        (Size, "2", Size.LARGE),
        (list[int], "1,2,3", [1, 2, 3]),
        (list[int], "'[1, 2]'", [1, 2]),
        (list[Path], "a,b", [Path("a"), Path("b")]),
        (set[Colour], "red,red", {Colour.RED}),
        (tuple[int, str], "1,a", (1, "a")),
        (tuple[int, ...], "1,2", (1, 2)),
        (dict[str, int], """'{"a": 1}'""", {"a": 1}),
        (typing.Optional[int], "3", 3),  # noqa: UP045 (as people write it)
        (int | None, "null", None),
        (str | None, "null", "null"),
        (int | str, "3", 3),
        (int | str, "three", "three"),
        (float | list[int], "1,2", [1, 2]),
        (Metres, "2", 2.0),
        (typing.Annotated[int, "of something"], "2", 2),
        (Point, """'{"x": 1, "colour": "deep-blue", "place": "a"}'""", Point(1, 0.5, Colour.DEEP_BLUE, Path("a"))),
    ],
    ids=str,
)
def test_a_word_becomes_what_the_annotation_says(annotation: Any, word: str, expected: Any) -> None:
    """A word reaches the handler as what its parameter is annotated with."""
    got = given(annotation, f"t {word}")
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (int, "3.0", 3),
        (float, "3", 3.0),
        (int | None, "null", None),
        (list[dt.date], '["2026-01-31"]', [dt.date(2026, 1, 31)]),
        (Point, '{"x": "7", "parts": ["1"]}', Point(7, parts=[1])),
        (Size, "1", Size.SMALL),
        (int | str, '"3"', 3),
        (float | str, "3", 3.0),
        (Decimal, "1.5", Decimal("1.5")),
    ],
    ids=str,
)
def test_a_value_of_json_becomes_what_the_annotation_says(annotation: Any, value: str, expected: Any) -> None:
    """The arguments of a JSON line are converted as words are."""
    got = given(annotation, f'{{"task": "t", "args": [{value}]}}')
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "line", "reason"),
    [
        (int, "t abc", "argument value: a whole number was expected, not 'abc'"),
        (int, "t 1.5", "a whole number was expected, not '1.5'"),
        (int, '{"task": "t", "args": [true]}', "a whole number was expected, not True"),
        (str, '{"task": "t", "args": [3]}', "text was expected, not 3"),
        (float, "t x", "a number was expected, not 'x'"),
        (bool, "t maybe", "true or false was expected, not 'maybe'"),
        (dt.date, "t 31.1.2026", "a date such as 2026-01-31 was expected, not '31.1.2026'"),
        (typing.Literal["a", 2], "t b", "one of a, 2 was expected, not 'b'"),
        (Colour, "t green", "one of red, deep-blue was expected, not 'green'"),
        (list[int], "t 1,x", "a whole number was expected as item 2, not '1,x'"),
        (tuple[int, int], "t 1", "a list of 2 was expected"),
        (int | None, "t x", "a whole number or null was expected, not 'x'"),
        (Point, """t '{"x": "far"}'""", "Point was expected: Expected `int`, got `str` - at `$.x`"),
        (Point, """t '{"x": 1, "z": 1}'""", "Point has no z"),
        (Point, """t '{"x": 100}'""", "too far"),
        (Point, "t '{x'", "JSON was expected"),
        (Registry, "t x", "no workload can hold a Registry"),
        (Callable[[int], str], "t x", "no workload can hold"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_the_reason(annotation: Any, line: str, reason: str) -> None:
    """A value that can't be converted is refused, with the argument, what was expected, and what was given."""
    with pytest.raises(ArgumentError) as caught:
        given(annotation, line)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("argument value: ")


@task("shape")
def shape(n: int, width: float = 2.0, *rest: int, flag: bool = False, must: str, **named: dt.date) -> tuple[Any, ...]:
    return n, width, rest, flag, must, named


def test_every_kind_of_parameter() -> None:
    """Places, defaults, *args, keywords alone and **kwargs are each bound and converted."""
    line = '{"task": "shape", "args": ["1", "2", "3", "4"], "flag": "on", "must": "x", "day": "2026-01-31"}'
    assert Registry([shape]).run(parse_task(line)) == (1, 2.0, (3, 4), True, "x", {"day": dt.date(2026, 1, 31)})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            '{"task": "shape", "args": [1]}',
            "argument must is missing: it takes n [width] [rest ...] [flag=] must= [named=...]",
        ),
        ('{"task": "shape", "must": "x"}', "argument n is missing"),
        ('{"task": "shape", "args": [1], "n": 2, "must": "x"}', "argument n is given twice"),
        ('{"task": "shape", "args": [1, 2, "x"], "must": "x"}', "argument rest: a whole number was expected"),
        ('{"task": "shape", "args": [1], "must": "x", "day": "today"}', "argument day: a date such as"),
    ],
)
def test_what_can_not_be_bound_is_refused(line: str, reason: str) -> None:
    """Arguments that are missing, too many, or given twice are told before the handler runs."""
    with pytest.raises(ArgumentError) as caught:
        Registry([shape]).run(parse_task(line))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("two a", "argument second is missing: it takes first second"),
        ("two a b c", "it takes at most 2 arguments: it takes first second; 3 are given"),
        ('{"task": "two", "args": ["a", "b"], "third": 1}', "it has no argument 'third': it takes first second"),
    ],
)
def test_unannotated_parameters_stay_text_and_are_counted(line: str, reason: str) -> None:
    """A handler without annotations gets strings; too few, too many and unknown ones are refused as well."""

    @task("two")
    def two(first: Any, second: Any) -> Any:
        return first, second

    registry = Registry([two])
    assert registry.run(parse_task("two 1 2")) == ("1", "2")
    with pytest.raises(ArgumentError) as caught:
        registry.run(parse_task(line))
    assert str(caught.value) == reason


def test_annotations_that_name_nothing_are_refused_at_once() -> None:
    """An annotation that can't be evaluated is an error when the handler is loaded, and says where."""

    @task("lost")
    def lost(value: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        pass

    with pytest.raises(InputError, match=r"@task\('lost'\): an annotation of .*lost can't be used: name 'Nowhere'"):
        Registry([lost])


def test_what_a_function_returns_may_be_annotated_with_anything() -> None:
    """Only the annotations of parameters are looked at."""

    @task("free")
    def free(n: int) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
        return n

    assert Registry([free]).run(parse_task("free 3")) == 3


class Adder:
    def __init__(self, more: int) -> None:
        self.more = more

    def __call__(self, n: int) -> int:
        return n + self.more

    def method(self, n: int) -> int:
        return n - self.more

    @staticmethod
    def static(n: int) -> int:
        return 2 * n


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) + 100

    return wrapper


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: task("t")(Adder(3)), 8),
        (lambda: task("t")(Adder(3).method), 2),
        (lambda: task("t")(Adder.static), 10),
        (lambda: task("t")(functools.partial(Adder(1).__call__)), 6),
        (lambda: counted(task("t")(Adder(3).method)), 102),
        (lambda: task("t")(counted(Adder(3).method)), 102),
        (lambda: task("t")(lambda n: int(n) + 1), 6),
        (lambda: task("t")(len), 1),
    ],
)
def test_everything_that_can_be_called_can_be_a_handler(made: Callable[[], Any], expected: int) -> None:
    """Objects, methods, partials, decorated functions, lambdas and functions of C are bound as functions are."""
    assert Registry([made()]).run(parse_task("t 5")) == expected
