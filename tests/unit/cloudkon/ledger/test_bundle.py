import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import WireError
from cloudkon.ledger.bundle import BundleKey, LineNumbers

_KEYS = st.builds(BundleKey, st.just("job"), st.integers(0, 10**6), st.integers(0, 10**8), st.integers(1, 64))


@given(_KEYS)
def test_an_id_is_read_back(key: BundleKey) -> None:
    """A bundle's id, with its job and shards, gives the key again."""
    assert BundleKey.parse(key.job, key.id, key.shards) == key


@given(st.lists(st.builds(BundleKey, st.just("job"), st.integers(0, 99_999), st.integers(0, 999_999))))
def test_ids_sort_in_the_order_of_the_workload(keys: list[BundleKey]) -> None:
    """Sorting ids as text sorts bundles by range and number."""
    assert sorted(key.id for key in keys) == [key.id for key in sorted(keys)]


@pytest.mark.parametrize(
    "text", ["", ".", "1.2", "00001", "00001.", "00001.000002.3", "0000a.000002", "-0001.000002", "0000\u0661.000002"]
)
def test_other_ids_are_refused(text: str) -> None:
    """Only what id writes is read."""
    with pytest.raises(WireError, match="not a bundle's id"):
        BundleKey.parse("job", text, 1)


@given(st.integers(1, 64), st.integers(1, 20))
def test_bundles_spread_over_all_shards(shards: int, rounds: int) -> None:
    """The bundles of a range are dealt out evenly over the shards."""
    dealt = [BundleKey("job", 0, number, shards).shard for number in range(shards * rounds)]
    assert all(dealt.count(shard) == rounds for shard in range(shards))


def test_a_key_is_shown_with_its_job() -> None:
    """People read a bundle's job and id."""
    assert str(BundleKey("sleeps-abc", 1, 23)) == "sleeps-abc/00001.000023"


@given(st.sets(st.integers(0, 10**9), max_size=50))
def test_line_numbers_are_kept(numbers: set[int]) -> None:
    """Any rising line numbers come back, counted right, as themselves and through text."""
    lines = LineNumbers.of(sorted(numbers))
    assert list(lines) == sorted(numbers)
    assert len(lines) == len(numbers)
    assert LineNumbers.parse(str(lines)) == lines


def test_consecutive_lines_are_one_run() -> None:
    """Lines in a row are written as one run, whatever their number."""
    assert str(LineNumbers.of([*range(1, 65), 70, 71, 72])) == "1+64,70+3"


@pytest.mark.parametrize("text", ["1", "1+", "+1", "a+1", "1+0", "1+-1", "1+2+3", " 1+1", "1+1,", ",1+1", "1+1\n"])
def test_other_line_numbers_are_refused(text: str) -> None:
    """Only what str writes is read."""
    with pytest.raises(WireError, match="not line numbers"):
        LineNumbers.parse(text)
