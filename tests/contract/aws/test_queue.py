"""What only SQS does: failures inside a success, receipt handles gone stale, faults that never pass."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from cloudkon.aws.queue import Depth, SqsQueue, queue_url
from cloudkon.errors import CloudKonError, NotFoundError, UnavailableError
from tests.support.emulators.moto_aws import AwsLab
from tests.support.still_clock import StillClock


@pytest.fixture(scope="module", params=["aws", "fauxqs"])
def lab(request: pytest.FixtureRequest) -> AwsLab:
    """As moto has it, and as strangers have it."""
    made: AwsLab = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def queue(lab: AwsLab) -> SqsQueue:
    return lab.queue(StillClock())


@pytest.fixture
def stub(lab: AwsLab) -> Iterator[Stubber]:
    with Stubber(lab.sqs) as stub:
        yield stub
        stub.assert_no_pending_responses()


def failed(position: int, code: str, *, sender: bool) -> dict[str, Any]:
    return {"Id": str(position), "Code": code, "SenderFault": sender, "Message": "as the service says"}


def sent(position: int) -> dict[str, str]:
    return {"Id": str(position), "MessageId": "m", "MD5OfMessageBody": "0"}


def test_refused_messages_are_named_by_their_positions(queue: SqsQueue, stub: Stubber) -> None:
    """Every entry of Failed is read, whatever the order it comes in."""
    failures = [failed(2, "InternalError", sender=False), failed(0, "ServiceUnavailable", sender=False)]
    stub.add_response("send_message_batch", {"Successful": [sent(1)], "Failed": failures})
    assert list(queue.send(["a", "b", "c"])) == [0, 2]


@pytest.mark.parametrize("code", ["RequestThrottled", "KMS.ThrottlingException"])
def test_throttling_is_refused_and_not_hopeless(queue: SqsQueue, stub: Stubber, code: str) -> None:
    """SQS blames the sender for throttling too; the message may be sent again."""
    stub.add_response("send_message_batch", {"Successful": [sent(0)], "Failed": [failed(1, code, sender=True)]})
    assert list(queue.send(["a", "b"])) == [1]


def test_what_sqs_never_takes_is_an_error_of_one_line(queue: SqsQueue, stub: Stubber) -> None:
    """A fault of the sender names its code and size, so that nobody sends it again for ever."""
    entry = failed(1, "InvalidMessageContents", sender=True)
    stub.add_response("send_message_batch", {"Successful": [sent(0)], "Failed": [entry]})
    with pytest.raises(CloudKonError, match=r"^Could not send to .*a message of 4 bytes for good \(InvalidMessage.*$"):
        queue.send(["a", "four"])


def test_a_batch_above_the_quota_is_an_error(queue: SqsQueue) -> None:
    """SQS refuses more than 1 MiB as a whole, and the reason reaches the caller."""
    with pytest.raises(CloudKonError, match="Could not send to queue-"):
        queue.send(["x" * 600_000, "y" * 600_000])


@pytest.mark.parametrize("code", ["ReceiptHandleIsInvalid", "InvalidParameterValue"])
def test_what_is_gone_counts_as_deleted(queue: SqsQueue, stub: Stubber, code: str) -> None:
    """A stale receipt handle is no failure of a delete; trouble on the other side is."""
    failures = [failed(0, code, sender=True), failed(1, "InternalError", sender=False)]
    stub.add_response("delete_message_batch", {"Successful": [], "Failed": failures})
    assert list(queue.delete(["gone", "there"])) == [1]


def test_a_stale_receipt_is_not_hidden(queue: SqsQueue) -> None:
    """Whoever hides a message learns that somebody else has it, by its position."""
    queue.send(["a"])
    (delivery,) = queue.receive(1, 0, 60)
    assert list(queue.hide(["no such receipt", delivery.receipt], 60)) == [0]


def test_seconds_are_whole_and_within_the_quota(queue: SqsQueue, stub: Stubber) -> None:
    """A fraction is rounded up, and nothing above 12 hours is asked for."""
    for asked, sent in ((0, 0), (0.2, 1), (90_000.0, 43_200)):
        entry = {"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": sent}
        stub.add_response(
            "change_message_visibility_batch",
            {"Successful": [{"Id": "0"}], "Failed": []},
            {"QueueUrl": queue.url, "Entries": [entry]},
        )
        assert list(queue.hide(["r"], asked)) == []


def test_empty_batches_make_no_call(queue: SqsQueue, lab: AwsLab) -> None:
    """Nothing to do costs nothing."""
    before = lab.session.meter.totals()
    assert [*queue.send([]), *queue.delete([]), *queue.hide([], 1)] == []
    assert lab.session.meter.totals() == before


def test_a_queue_that_is_missing_is_named(lab: AwsLab) -> None:
    """Looking up a wrong name says so in words."""
    with pytest.raises(NotFoundError, match="There is no queue nowhere in this account and region"):
        queue_url(lab.sqs, "nowhere")


def test_a_queue_deleted_under_way_is_missing(queue: SqsQueue, lab: AwsLab) -> None:
    """A receive from a queue that was torn down is NotFoundError, not an empty receive."""
    lab.sqs.delete_queue(QueueUrl=queue.url)
    with pytest.raises(NotFoundError, match="does not exist"):
        queue.receive(1, 0, 30)


def test_too_much_in_flight_passes(queue: SqsQueue, stub: Stubber) -> None:
    """OverLimit is answered with 403, and is no matter of credentials."""
    stub.add_client_error("receive_message", "OverLimit", "too many", http_status_code=403)
    with pytest.raises(UnavailableError, match="busy"):
        queue.receive(1, 0, 30)


def test_depth_counts_what_waits_and_what_is_in_flight(queue: SqsQueue) -> None:
    """The approximate attributes come back as numbers."""
    queue.send(["a", "b", "c"])
    assert len(queue.receive(1, 0, 60)) == 1
    assert queue.approximate_depth() == Depth(visible=2, in_flight=1, delayed=0)
