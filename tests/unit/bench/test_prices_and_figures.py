"""The arithmetic of the benchmarks: what is counted is priced right."""

import pytest

from bench import codec
from bench.figures import median, table
from bench.prices import bill
from bench.rows import write_units


def test_calls_are_priced() -> None:
    """A million calls of each kind cost what the price lists say."""
    million = 1_000_000
    calls = {
        "dynamodb.UpdateItem": million,
        "dynamodb.PutItem": million,
        "dynamodb.Query": million,
        "sqs.SendMessageBatch": million,
        "sqs.ReceiveMessage": million,
        "s3.PutObject": million,
        "s3.GetObject": million,
        "sts.GetCallerIdentity": million,
    }
    cost = bill(calls, bundles=million, row_units=1.0, lambda_s=0.0)
    assert (cost.dynamodb, cost.sqs, cost.s3) == pytest.approx((2 * 0.625 + 0.125, 0.80, 5.40))
    assert cost.total == pytest.approx(1.375 + 0.80 + 5.40, rel=1e-6)


def test_large_rows_cost_more_once_they_are_large() -> None:
    """A claim writes a row while it is small; each later update pays for the row's size."""
    calls = {"dynamodb.UpdateItem": 2_000_000}
    assert bill(calls, bundles=1_000_000, row_units=3.0, lambda_s=0.0).dynamodb == pytest.approx(0.625 * 4)


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
