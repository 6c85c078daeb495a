"""The arithmetic of the benchmarks."""

from bench import codec
from bench.figures import median, table
from bench.rows import write_units


def test_write_units_are_whole_a_row() -> None:
    """A row of a KiB takes one unit, and one of a byte more takes two."""
    assert write_units([1, 1024]) == 1
    assert write_units([1024, 1025]) == 1.5


def test_medians_and_their_table() -> None:
    """Each figure's median is its own, and every figure is shown by its name."""
    figures = median([{"a_s": 1.0, "b": 9.0}, {"a_s": 3.0, "b": 7.0}, {"a_s": 2.0, "b": 8_000.0}])
    assert figures == {"a_s": 2.0, "b": 9.0}
    assert [line.split() for line in table({"a_s": 0.12345, "b": 8_000.4}).splitlines()] == [
        ["a_s", "0.1235"],
        ["b", "8,000"],
    ]


def test_the_codec_is_measured_whatever_the_number_of_tasks() -> None:
    """Few tasks make one bundle that is not full; its bytes are its own."""
    figures = codec.measure(3)
    assert figures["results_bytes_per_task"] == 8
    assert 0 < figures["bundle_bytes"] < 300
