"""What counted calls cost."""

import pytest

from cloudkon.costs.bill import Bill
from cloudkon.costs.calls import call_charges, calls_only, dispatch_charges
from cloudkon.costs.prices import Prices, shipped_prices

MILLION = 1_000_000


def test_calls_are_priced() -> None:
    """A million calls of each kind cost what the price lists say."""
    calls = {
        "dynamodb.UpdateItem": MILLION,
        "dynamodb.PutItem": MILLION,
        "dynamodb.Query": MILLION,
        "sqs.SendMessageBatch": MILLION,
        "sqs.ReceiveMessage": MILLION,
        "s3.PutObject": MILLION,
        "s3.GetObject": MILLION,
        "s3.DeleteObject": MILLION,
        "sts.GetCallerIdentity": MILLION,
    }
    bill = Bill(list(call_charges(calls, shipped_prices(), bundles=MILLION)))
    assert bill.services == pytest.approx({"S3": 5.40, "DynamoDB": 2 * 0.625 + 0.125, "SQS": 0.80})
    assert bill.total_usd == pytest.approx(1.375 + 0.80 + 5.40)
    assert bill.dominant == "S3"
    assert not bill.unpriced


def test_large_rows_cost_more_once_they_are_large() -> None:
    """A claim writes a row while it is small; each later update pays for the row's size."""
    calls = {"dynamodb.UpdateItem": 2 * MILLION}
    bill = Bill(list(call_charges(calls, shipped_prices(), bundles=MILLION, row_units=3.0)))
    assert bill.total_usd == pytest.approx(0.625 * 4)


def test_each_write_of_a_batch_is_billed_and_the_batch_is_not() -> None:
    """A batch of statements is one call, and costs its writes and no read."""
    calls = {"dynamodb.BatchExecuteStatement": 1_000, "dynamodb.BatchExecuteStatement.statements": 25_000}
    writes, reads = [
        each for each in call_charges(calls, shipped_prices(), bundles=12_500) if each.service == "DynamoDB"
    ]
    assert (writes.quantity, reads.quantity) == (25_000, 0)
    assert calls_only(calls) == {"dynamodb.BatchExecuteStatement": 1_000}


def test_the_dispatcher_is_priced_by_its_time_and_memory() -> None:
    """A million invocations of a second cost their requests and half a GB-second each."""
    bill = Bill(list(dispatch_charges(MILLION, MILLION, shipped_prices())))
    assert bill.total_usd == pytest.approx(0.20 + 0.5 * 16.6667)


def test_what_has_no_price_is_told_and_not_counted() -> None:
    """Without a price for S3, the sum is of the rest, and the bill says that it is not complete."""
    prices = Prices("somewhere", "2026-11-28", "a test", {"sqs.million_requests": 0.4})
    calls = {"sqs.ReceiveMessage": MILLION, "s3.GetObject": 3}
    told = Bill(list(call_charges(calls, prices, bundles=0))).as_json()
    assert (told["usd"], told["complete"]) == (pytest.approx(0.4), False)
    assert [charge["usd"] for charge in told["charges"]] == [pytest.approx(0.4), None]
