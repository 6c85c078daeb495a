import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import WireError
from cloudkon.ledger.packed_results import MAX_COLUMN_TASKS, pack_results, unpack_results
from cloudkon.ledger.result_columns import runs_of, stamped
from cloudkon.ledger.results import TaskResult, TaskState
from tests.support.data.rows import NOW_MS, failed, succeeded

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_STAMPS = st.integers(NOW_MS - 10**7, NOW_MS + 10**10)
_RESULTS = st.lists(
    st.none()
    | st.builds(
        TaskResult,
        state=st.sampled_from(TaskState),
        start_ms=_STAMPS,
        duration_us=st.integers(0, 10**12),
        attempt=st.integers(1, 1_000),
        runs=st.integers(1, 1_000),
        recorded_ms=_STAMPS,
        error=st.none() | st.text(),
        value=_JSON,
        output=st.none() | st.text(min_size=1),
        phases_ms=st.none() | st.dictionaries(st.text(min_size=1), st.floats(0, 1e9), min_size=1, max_size=8),
    ),
    max_size=8,
)


@given(results=_RESULTS, base_ms=st.integers(0, 2 * NOW_MS))
def test_what_is_packed_is_unpacked(results: list[TaskResult | None], base_ms: int) -> None:
    """Results come back as they were packed, whatever the base of their stamps."""
    assert unpack_results(pack_results(results, base_ms), base_ms) == results


@given(
    start_ms=st.integers(NOW_MS, NOW_MS + 86_400_000),
    duration_us=st.integers(0, 2_000_000),
    lag_ms=st.integers(0, 1_000),
    attempt=st.integers(1, 127),
)
def test_a_success_takes_about_ten_bytes(start_ms: int, duration_us: int, lag_ms: int, attempt: int) -> None:
    """A task that ran within a day of the event, for up to 2 s, is recorded in at most eleven bytes."""
    result = succeeded(start_ms, duration_us=duration_us, recorded_ms=start_ms + lag_ms, attempt=attempt)
    assert len(pack_results([result], NOW_MS)) <= 11


def test_a_bundle_of_64_fits_a_write_unit() -> None:
    """64 tasks that succeeded within a day of the event, and ran for up to an hour, leave room in 1 KiB."""
    result = succeeded(NOW_MS + 86_400_000, duration_us=3_600_000_000, recorded_ms=NOW_MS + 86_401_000)
    assert len(pack_results([result] * 64, NOW_MS)) <= 850


def test_equal_notes_are_kept_once() -> None:
    """A bundle whose tasks all failed for one reason takes little more than one that succeeded."""
    results = [replace(failed(), error="no handler is named 'a'" + " (this worker knows animoto, sleep)" * 3)] * 64
    mixed = [results[0], succeeded(), None, *results, replace(failed(), error="another"), *results]
    for some in (results, mixed):
        assert list(unpack_results(pack_results(some, NOW_MS), NOW_MS)) == some
    assert len(pack_results(results, NOW_MS)) <= 1_024


def test_a_result_without_a_stamp_is_recorded_at_its_start() -> None:
    """Packing needs a stamp; where none was given, the start stands in for it."""
    (unstamped,) = unpack_results(pack_results([succeeded(recorded_ms=None)], NOW_MS), NOW_MS)
    assert unstamped == succeeded(recorded_ms=NOW_MS)


@given(st.binary(max_size=200), st.integers(0, NOW_MS))
def test_other_bytes_are_refused_or_read(packed: bytes, base_ms: int) -> None:
    """Whatever the bytes are, the answer is results or a WireError."""
    try:
        results = unpack_results(packed, base_ms)
    except WireError:
        return
    assert len(results) <= max(len(packed), MAX_COLUMN_TASKS)


@given(_RESULTS.filter(any), st.data())
def test_bytes_that_end_within_a_result_are_refused(results: list[TaskResult | None], data: st.DataObject) -> None:
    """A row that was cut is refused, or shows fewer results; it never shows other ones."""
    packed = pack_results(results, NOW_MS)
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    try:
        read = unpack_results(cut, NOW_MS)
    except WireError:
        return
    assert read == results[: len(read)]
    assert len(read) < len(results)


@pytest.mark.parametrize("note", [b"[]", b"1", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_note_that_is_no_object_is_refused(note: bytes) -> None:
    """A note is a JSON object; anything else is a WireError."""
    size = bytearray()
    number = len(note)
    while number > 0x7F:
        size.append(number & 0x7F | 0x80)
        number >>= 7
    size.append(number)
    with pytest.raises(WireError, match="results of a bundle"):
        unpack_results(bytes([0b1001, 0, 0, 0, 1]) + size + note, NOW_MS)


def test_stamps_are_given_once() -> None:
    """Only a result that was never recorded gets the new stamp."""
    results = [None, succeeded(recorded_ms=None), succeeded(recorded_ms=NOW_MS)]
    assert stamped(results, NOW_MS + 9) == [None, succeeded(recorded_ms=NOW_MS + 9), succeeded(recorded_ms=NOW_MS)]


def test_progress_is_counted_in_runs() -> None:
    """A task that is run again is progress too, though it has a result as before."""
    assert runs_of([None, succeeded(), replace(failed(), runs=3)]) == 4


def test_a_task_ends_after_its_duration() -> None:
    """The end is the start and the duration, to the microsecond."""
    assert math.isclose(succeeded(NOW_MS, duration_us=1_500).end_ms, NOW_MS + 1.5)


@pytest.mark.parametrize(("state", "word"), [(TaskState.SUCCEEDED, "succeeded"), (TaskState.REJECTED, "rejected")])
def test_states_have_words(state: TaskState, word: str) -> None:
    """People read states in lower case."""
    assert state.word == word
