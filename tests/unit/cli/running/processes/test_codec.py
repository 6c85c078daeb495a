"""What crosses between a worker's process and its parent arrives as it was sent, and nothing else can be sent."""

from typing import Any

import pytest

from cli.running.processes.codec import (
    ParentFailedError,
    decode_answer,
    decode_call,
    encode_answer,
    encode_call,
    encode_error,
)
from cloudkon.errors import CloudKonError, DeniedError, UnavailableError
from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.fleet import Instance, WorkerState, WorkerStatus
from cloudkon.ledger.lease import AlreadyDone, BundleRow, BundleState, HeldElsewhere, LeaseLost, Mark
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.ports import Delivery

OK = TaskResult(TaskState.SUCCEEDED, 1_750_000_000_123, 45_678, 2, runs=3, recorded_ms=1_750_000_001_000, value=[1, {}])
BAD = TaskResult(TaskState.FAILED, 1_750_000_000_123, 1, 1, recorded_ms=1_750_000_000_124, error="ValueError: ü\n\0")
KEY = BundleKey("local-x", 1, 2, 3)
ROW = BundleRow(
    KEY, BundleState.DONE, ("a", "b"), "t", LineNumbers(((1, 3),)), (OK, None, BAD), 1, 2, 3, 4, 5, 6, 1, Mark(2, 1)
)
STATUS = WorkerStatus("w", WorkerState.SICK, 1, 2, 3, 4, 5, 6, "disk", Instance("i", "t", "z"), {"c": 1}, {"t": 2})


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 1, 1.5, "ü\udcff\0", b"\xff\0"),
        *([], (), [1, (2, [3])], {}, {"c": {"b": [1]}, "t": ()}),
        *(ROW, STATUS, AlreadyDone(ROW), HeldElsewhere(7), LeaseLost(), (OK, None), Delivery("b", "r", 1, 2)),
    ],
)
def test_values_arrive_as_they_were_sent(value: Any) -> None:
    """Types too: a list stays a list, a tuple a tuple, and a mapping may have any keys."""
    assert decode_answer(encode_answer(value)) == value
    assert decode_call(encode_call("ledger", "claim", (value,), {"mark": value})) == (
        "ledger",
        "claim",
        (value,),
        {"mark": value},
    )


@pytest.mark.parametrize("error", [UnavailableError("gone"), DeniedError("no"), CloudKonError("odd"), ValueError("x")])
def test_errors_of_ports_are_raised_again(error: Exception) -> None:
    """A worker decides by their types what to do."""
    with pytest.raises(type(error), match=str(error)) as raised:
        decode_answer(encode_error(error))
    assert type(raised.value) is type(error)


def test_a_mistake_of_the_parent_is_told() -> None:
    """What no port raises ends the worker, with the words of it."""
    with pytest.raises(ParentFailedError, match="KeyError: 'x'"):
        decode_answer(encode_error(KeyError("x")))


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: None, Exception("x")])
def test_nothing_else_can_be_sent(value: Any) -> None:
    """What has no place in a port is refused where it is sent."""
    with pytest.raises(TypeError, match="can't be told to another process"):
        encode_answer(value)
