"""What travels: that it arrives as it was, and that nothing a message could hold gets further than a clear error."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import WireError
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.job import RangeKey
from cloudkon.messages.dead_letters import read_letter
from cloudkon.messages.wire import (
    decode_bundle,
    decode_completion,
    decode_range,
    decode_undecodable,
    encode_bundle,
    encode_range,
    encode_undecodable,
)
from cloudkon.ports import Delivery
from tests.support.data.rows import NOW_MS

DECODERS: list[Callable[[str], object]] = [decode_bundle, decode_range, decode_completion]


def bundle(**changes: Any) -> Bundle:
    fields: dict[str, Any] = {
        "lines": LineNumbers.of([3, 4]),
        "tasks": ("a", "b"),
        "event_ms": NOW_MS,
        "sent_ms": NOW_MS + 1,
    }
    return Bundle(BundleKey("job-1", 2, 7, 4), **fields | changes)


def body(**changes: Any) -> str:
    """A bundle's message with these keys changed."""
    return json.dumps(json.loads(encode_bundle(bundle(retries=1, timeout_s=2.0))) | changes)


@given(
    st.text(min_size=1).filter(lambda text: "\n" not in text),
    st.none() | st.integers(0, 100),
    st.none() | st.floats(0.001, 43_200),
)
def test_a_bundle_arrives_as_it_was_sent(task: str, retries: int | None, timeout_s: float | None) -> None:
    """Whatever its tasks say, a bundle is plain ASCII while it travels, and the same afterwards."""
    sent = bundle(tasks=(task, "b"), retries=retries, timeout_s=timeout_s)
    assert encode_bundle(sent).isascii()
    assert decode_bundle(encode_bundle(sent)) == sent


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "message",
    [
        *("[" * 100_000, '{"v":1,"a":' * 50_000, "9" * 10_000, f'{{"v":1,"job":{"[" * 90_000}'),
        *("", "null", "7", '"text"', "[]", "{}", '{"v":2}', '{"v":1}', '{"v":true}', "\ud800", "NaN", "{", "\0"),
        *('{"v":1,"job":7}', '{"v":1,"job":"","dispatch":0}', '{"v":1,"job":"j","dispatch":-1}'),
        *('{"v":1,"job":"j","bundle":"00000.000000","tasks":7}', '{"v":1,"job":"j","bundle":"x","tasks":[]}'),
        *('{"v":1,"job":"j","bundle":"00000.000000","tasks":[7]}', '{"v":1,"job":"j\\u202e","dispatch":0}'),
        '{"v":1,"job":"j","bundle":"00000.000000","tasks":[{"task":"x"}]}',
    ],
    ids=lambda message: message[:30].encode("unicode_escape").decode() if isinstance(message, str) else None,
)
def test_no_message_ends_who_reads_it(decode: Callable[[str], object], message: str) -> None:
    """What is no message of ours is refused with a short reason, however deep or long it is."""
    with pytest.raises(WireError) as raised:
        decode(message)
    assert len(str(raised.value)) < 400
    assert decode_undecodable(message) is None
    assert read_letter(Delivery(message, "r", 1, 0)).content is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"timeout_s": each} for each in (0, -1, float("inf"), float("nan"), "1", True, 10**400)),
        *({"retries": each} for each in (-1, 1.5, "1", True, 10**9, 10**400)),
        *({"shards": each} for each in (0, -1, "1")),
        *({"range": each} for each in (-1, 10**9, "0", None)),
        *({"event_ms": each} for each in (-1, 10**15, 1.5, "0")),
        *({"lines": each} for each in ("1+1,1+1", "2+1,1+1", "1+2,2+1", "3+1", "1+3", "x", "", 7, "٣+2", "0+2," * 9)),
        *({"job": each} for each in ("", "a" * 201, "a\nb", "a\x1bb", "a\u202eb", 7, None)),
        *({"seal": each} for each in ("", "x" * 32, "0" * 31, "0" * 33, 7, None)),
        {"tasks": ["a", "b"]},
    ],
    ids=lambda changes: f"{changes!s:.40}",
)
def test_what_no_ledger_could_keep_is_refused(changes: dict[str, Any]) -> None:
    """Values out of bounds, of other types, and lines that overlap never reach a claim."""
    with pytest.raises(WireError) as raised:
        decode_bundle(body(**changes))
    assert len(str(raised.value)) < 400


def test_options_of_earlier_versions_count_as_the_most_that_there_may_be() -> None:
    """A message that an earlier version has sent with a timeout of a day is run, for twelve hours at most."""
    read = decode_bundle(body(timeout_s=86_400, retries=1_000))
    assert (read.timeout_s, read.retries) == (43_200, 100)


def test_ranges_and_wrapped_messages_arrive_as_they_were_sent() -> None:
    """A range is no bundle, and what is wrapped keeps its body and its reason."""
    assert decode_range(encode_range(RangeKey("j", 3))) == RangeKey("j", 3)
    with pytest.raises(WireError):
        decode_bundle(encode_range(RangeKey("j", 3)))
    assert decode_undecodable(encode_undecodable("[" * 9, "no JSON")) == ("no JSON", "[" * 9)
