"""From calls to lines: what JSON carries, and what it does not."""

import enum
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudkon.client.arguments import call_line
from cloudkon.errors import InputError
from cloudkon.workload.task_line import parse_task

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class Colour(enum.IntEnum):
    RED = 1


@settings(max_examples=50)
@given(
    st.lists(Json, max_size=4), st.dictionaries(st.text().filter(lambda key: key not in {"task", "args", "id"}), Json)
)
def test_what_json_carries_arrives_as_it_was(args: list[Any], kwargs: dict[str, Any]) -> None:
    """Whatever passes is read from the line as the same arguments."""
    task = parse_task(call_line("m:f", args, kwargs, "item 0"))
    assert (task.name, list(task.args), task.kwargs) == ("m:f", args, kwargs)


def test_a_tuple_arrives_as_a_list() -> None:
    """JSON has one kind of list."""
    assert json.loads(call_line("m:f", [(1, (2,))], {}, "item 0"))["args"] == [[1, [2]]]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (date(2026, 1, 31), "item 3: JSON can't carry a value of type date: pass its isoformat"),
        (Path("a.png"), r"item 3: JSON can't carry a value of type PosixPath: pass str\(path\)"),
        ({"sizes": [1, {2}]}, r"item 3\['sizes'\]\[1\]: JSON can't carry a value of type set"),
        (b"bytes", "item 3: JSON can't carry a value of type bytes"),
        (object(), "item 3: JSON can't carry a value of type object"),
        (Colour.RED, "pass Colour.RED.value"),
        (float("nan"), "item 3: nan is no number in JSON"),
        ([float("inf")], r"item 3\[0\]: inf is no number"),
        ({1: "a"}, "item 3: the key 1 is no text"),
        ("\ud800", "half of a surrogate pair"),
        (10**5000, "thousands of digits"),
        ("x" * 210_000, "its arguments take 210,0.. bytes, and a task has at most 204,800"),
    ],
    ids=["date", "path", "set", "bytes", "object", "enum", "nan", "inf", "key", "surrogate", "digits", "large"],
)
def test_what_json_cant_carry_is_refused_with_its_place(value: Any, reason: str) -> None:
    """An argument that would arrive as something else, or not at all, is refused, and the error says where it is."""
    with pytest.raises(InputError, match=reason):
        call_line("m:f", [value], {}, "item 3")


def test_a_list_that_holds_itself_is_refused() -> None:
    """What never ends is refused as what is nested too deeply."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InputError, match=r"item 0.*nested more than 200 deep, or holds itself"):
        call_line("m:f", [endless], {}, "item 0")


@pytest.mark.parametrize("name", ["task", "args", "id"])
def test_an_argument_with_a_lines_own_key_is_refused(name: str) -> None:
    """An argument's name may not be one that a line of JSON has for itself."""
    with pytest.raises(InputError, match=f"an argument named '{name}' can only be passed by its place"):
        call_line("m:f", [], {name: 1}, "call")
