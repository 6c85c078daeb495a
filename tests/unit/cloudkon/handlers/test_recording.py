import array
import collections
import datetime as dt
import decimal
import enum
import json
import math
import types
import typing
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pydantic
import pytest

from cloudkon.handlers.recording import MAX_DEPTH, UnrecordableError, recorded


class Colour(enum.Enum):
    RED = "red"


class Pair(typing.NamedTuple):
    left: int
    right: str


@dataclass
class Page:
    url: str
    at: dt.datetime
    links: set[str] = field(default_factory=set)


@attrs.define
class Attrs:
    n: int


class Struct(msgspec.Struct):
    n: int


class Model(pydantic.BaseModel):
    n: int
    day: dt.date


class Number:
    """As numpy's: known by a dtype and tolist."""

    dtype = "float64"

    def __init__(self, value: Any) -> None:
        self.value = value

    def tolist(self) -> Any:
        return self.value


DAY = dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, None, True, "ü"]}, {"a": [1, 2.5, None, True, "ü"]}),
        ((1, (2, 3)), [1, [2, 3]]),
        (Pair(1, "b"), {"left": 1, "right": "b"}),
        (
            Page("u", dt.datetime(2026, 1, 31, tzinfo=dt.UTC), {"b", "a"}),
            {"url": "u", "at": "2026-01-31T00:00:00+00:00", "links": ["a", "b"]},
        ),
        (Attrs(1), {"n": 1}),
        (Struct(1), {"n": 1}),
        (Model(n=1, day=DAY), {"n": 1, "day": "2026-01-31"}),
        (Number(2.5), 2.5),
        ([Number([1, math.nan])], [[1, "NaN"]]),
        (DAY, "2026-01-31"),
        (dt.time(1, 2), "01:02:00"),
        (dt.timedelta(days=1, seconds=2, microseconds=500_000), "P1DT2.5S"),
        (-dt.timedelta(seconds=2), "-PT2S"),
        (decimal.Decimal("1.10"), "1.10"),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({3, 1}, [1, 3]),
        (frozenset({"b", 1}), ["b", 1]),
        ({"in": b"\x00\xff"}, {"in": "AP8="}),
        ([math.nan, math.inf, -math.inf], ["NaN", "Infinity", "-Infinity"]),
        (
            {1: "a", None: "b", 2.5: "c", DAY: "d", Colour.RED: "e"},
            {"1": "a", "null": "b", "2.5": "c", "2026-01-31": "d", "red": "e"},
        ),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.OrderedDict(z=1, a=2), {"z": 1, "a": 2}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.deque([1, 2]), [1, 2]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.values(), [1]),
        ({"a": 1}.items(), [["a", 1]]),
        (array.array("i", [1]), [1]),
        ("half \ud800", "half \ud800"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_recorded_in_its_form(value: Any, expected: Any) -> None:
    """Everything with a natural form in JSON is recorded in it."""
    text = recorded(value).text
    assert json.loads(text) == expected
    text.encode()


class Hostile:
    dtype = "x"

    def tolist(self) -> Any:
        raise SystemExit("no")


class Deep:
    def __iter__(self) -> Any:
        raise KeyboardInterrupt


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def itself() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "returned an object, which can't be recorded"),
        ([1, object()], "returned a list, which can't be recorded (it holds an object)"),
        (map(str, [1]), "returned a map, which can't be recorded: its work has not been done; return list(...) of it"),
        ({"rows": iter([1])}, "(it holds a list_iterator): its work has not been done"),
        ({1: "a", "1": "b"}, "returned a dict, which can't be recorded: two of its keys are '1' in JSON"),
        ({True: "a", "true": "b"}, "two of its keys are 'true' in JSON"),
        ({(1, 2): "a"}, "a tuple can't be a key"),
        (10**5000, "returned an int, which can't be recorded: ValueError: Exceeds the limit"),
        (Hostile(), "returned a Hostile, which can't be recorded: SystemExit: no"),
        (Deep(), "returned a Deep, which can't be recorded"),
        (ValueError("x"), "returned a ValueError, which can't be recorded"),
        (nested(MAX_DEPTH + 1), "it is nested more than 200 deep, or holds itself"),
        (itself(), "it is nested more than 200 deep, or holds itself"),
        (nested(100_000), "it is nested more than 200 deep"),
        (Page, "returned a type, which can't be recorded"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_is_named(value: Any, reason: str) -> None:
    """What can't be recorded is told by its type and the reason, whatever its methods do."""
    with pytest.raises(UnrecordableError) as caught:
        recorded(value)
    assert reason in str(caught.value)


def test_the_deepest_that_is_recorded() -> None:
    """A value nested as deep as is allowed is recorded, and can be read by anyone."""
    assert json.loads(recorded(nested(MAX_DEPTH)).text) == nested(MAX_DEPTH)


def test_a_value_is_as_it_was_when_it_was_recorded() -> None:
    """What becomes of an object afterwards changes nothing."""
    shared = {"count": 1}
    text = recorded(shared)
    shared["count"] = 2
    assert text.value == {"count": 1}
