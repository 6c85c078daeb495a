"""Results as columns are the results that a list of them would be, at a fraction of the cost."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import WireError
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.packed_results import MAX_COLUMN_TASKS, pack_results, unpack_results
from cloudkon.ledger.result_columns import ResultColumns, frozen, runs_of, stamped
from cloudkon.ledger.results import JsonText, TaskResult, TaskState
from cloudkon.reports.totals import JobTotals
from tests.support.data.recorded import row
from tests.support.data.rows import NOW_MS, failed, succeeded

_PLAIN = st.builds(
    succeeded,
    st.integers(NOW_MS, NOW_MS + 10**9),
    duration_us=st.integers(0, 10**12),
    recorded_ms=st.integers(NOW_MS, NOW_MS + 10**9),
    attempt=st.integers(1, 3),
)
_SAYS = st.builds(
    replace,
    _PLAIN,
    value=st.none() | st.integers() | st.text(max_size=3) | st.lists(st.booleans(), max_size=2),
    id=st.none() | st.text(min_size=1, max_size=3),
)
_ANY = (
    _SAYS
    | st.none()
    | st.builds(replace, _PLAIN, runs=st.integers(2, 9))
    | st.builds(replace, _PLAIN, error=st.just("it broke"), state=st.sampled_from(list(TaskState)))
    | st.builds(replace, _PLAIN, recorded_ms=st.none())
)


def rows_of(results: Sequence[TaskResult | None]) -> tuple[BundleRow, BundleRow]:
    """One bundle of three attempts, its results as columns and as a tuple."""
    plain = replace(row(tuple(results)), state=BundleState.DONE, owners=("a", "b", "c"))
    return replace(plain, results=ResultColumns.of(results)), plain


@given(st.lists(_ANY, max_size=9))
def test_columns_hold_what_was_put_into_them(results: list[TaskResult | None]) -> None:
    """Whatever results are put in come out the same, by place, by slice, and from the end."""
    columns = ResultColumns.of(results)
    assert list(columns) == results
    assert columns == results
    assert columns == ResultColumns.of(columns)
    assert list(columns[1:3]) == results[1:3]
    assert [columns[-1 - at] for at in range(len(results))] == results[::-1]
    assert runs_of(columns) == runs_of(results)


@given(st.lists(_ANY, min_size=1, max_size=9))
def test_a_copy_is_its_own(results: list[TaskResult | None]) -> None:
    """What is set later shows neither in a copy nor in what was frozen."""
    columns = ResultColumns.of(results)
    copies = [columns.copy(), frozen(columns), ResultColumns.of(columns)]
    columns[0] = failed()
    columns.put_plain(len(results) - 1, 1, 2, 3)
    columns.stamp(NOW_MS + 77)
    assert all(copy == results for copy in copies)


@given(st.lists(_ANY, max_size=9))
def test_stamping_leaves_what_has_a_stamp(results: list[TaskResult | None]) -> None:
    """A stamp goes to the results that have none, in columns and beside them; the given results stay."""
    columns = ResultColumns.of(results)
    wanted = [r and (r if r.recorded_ms is not None else replace(r, recorded_ms=NOW_MS + 5)) for r in results]
    assert list(stamped(columns, NOW_MS + 5)) == wanted
    assert list(stamped(results, NOW_MS + 5)) == wanted
    assert columns == results


@given(st.lists(_PLAIN, min_size=8, max_size=70), st.integers(0, 2 * NOW_MS))
def test_packed_columns_are_unpacked_as_they_were(results: list[TaskResult | None], base_ms: int) -> None:
    """A bundle of plain results travels as columns, and comes back the same, whatever the base of its times."""
    packed = pack_results(results, base_ms)
    assert packed[0] == 0xC2
    assert unpack_results(packed, base_ms) == results


@given(st.lists(_SAYS, min_size=8, max_size=70), st.integers(0, 2 * NOW_MS))
def test_values_and_ids_travel_with_the_columns(results: list[TaskResult | None], base_ms: int) -> None:
    """Results that say no more than a value and an id are packed as columns, fresh from a task or read from a row."""
    fresh = [r and (r if r.value is None else replace(r, value=JsonText(json.dumps(r.value)))) for r in results]
    packed = pack_results(fresh, base_ms)
    assert packed[0] in {0xC2, 0xC3}
    assert unpack_results(packed, base_ms) == results == unpack_results(pack_results(results, base_ms), base_ms)


def test_a_large_value_that_is_not_stored_yet_stays_out_of_the_columns() -> None:
    """It is among the others, where it is looked for before the bundle is recorded."""
    fresh = replace(succeeded(NOW_MS), recorded_ms=None)
    small, large = (replace(fresh, value=JsonText(json.dumps("x" * size))) for size in (1_000, 1_100))
    columns = ResultColumns.of([small, large])
    assert [at for at, _ in columns.others()] == [1]
    assert list(columns) == [small, large]


def test_a_bundle_of_plain_results_takes_a_few_bytes_a_task() -> None:
    """64 short tasks that ran one after the other and were recorded together take under four bytes each."""
    results = [succeeded(NOW_MS + 3 * at, duration_us=2_500 + at, recorded_ms=NOW_MS + 400) for at in range(64)]
    assert len(pack_results(results, NOW_MS - 1_000)) < 64 * 4


@given(st.lists(_SAYS, min_size=8, max_size=12), st.data())
def test_columns_that_were_cut_or_changed_are_never_more_than_was_written(
    results: list[TaskResult | None], data: st.DataObject
) -> None:
    """Whatever byte is lost, doubled or changed, the answer is a WireError or results, and memory stays bounded."""
    packed = bytearray(pack_results(results, NOW_MS))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        read = unpack_results(bytes(packed), NOW_MS)
    except WireError:
        return
    assert len(read) <= max(len(packed), MAX_COLUMN_TASKS)


@pytest.mark.parametrize("size", [0, MAX_COLUMN_TASKS + 1, 1 << 60])
def test_columns_of_no_tasks_or_of_too_many_are_refused(size: int) -> None:
    """A damaged count is a WireError before memory is taken for it."""
    number = bytearray()
    while size > 0x7F:
        number.append(size & 0x7F | 0x80)
        size >>= 7
    number.append(size)
    with pytest.raises(WireError, match="results of a bundle"):
        unpack_results(bytes((0xC2, *number)) + bytes((0, 0) * 4), NOW_MS)


def test_a_row_of_an_earlier_version_is_read() -> None:
    """Rows that were written task by task, before there were columns, are read as they were meant."""
    packed = bytes.fromhex("0190038827d00f010190038827d00f01")
    first, second = unpack_results(packed, NOW_MS)
    assert first == second == succeeded(NOW_MS + 200, duration_us=5_000, recorded_ms=NOW_MS + 1_200, attempt=1)


@given(st.lists(_SAYS, min_size=1, max_size=9))
def test_totals_of_columns_are_those_of_their_results(results: list[TaskResult | None]) -> None:
    """Counting a row by its columns gives what counting it task by task gives: by worker, by range and by phase."""
    by_columns, one_by_one = JobTotals(), JobTotals()
    columns, plain = rows_of(results)
    by_columns.add(columns)
    one_by_one.add(plain)
    for name in ("bundles", "tasks_by_range", "tasks_by_worker", "busy_us_by_worker", "running", "runs", "last_ms"):
        assert getattr(by_columns, name) == getattr(one_by_one, name), name
    assert (by_columns.succeeded, by_columns.results) == (one_by_one.succeeded, one_by_one.results)
    assert by_columns.phases.percentiles() == one_by_one.phases.percentiles()
