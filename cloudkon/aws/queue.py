"""A queue in SQS. A batch that is answered with success may still hold failures: each one is read."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudkon.aws.errors import accounted, is_busy, translated
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, DeniedError, NotFoundError
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_DELAY_S, Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_VISIBILITY_S = 43_200
MAX_WAIT_S = 20
# AWS deletes by a stale handle in peace; other implementations refuse it, and a handle that has expired is refused
# by AWS too. Either way there is nothing left to delete: the message is gone, or somebody else has received it.
_GONE = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue"})


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages there are, as SQS guesses: never to be used to decide that a job has finished."""

    visible: int
    in_flight: int
    delayed: int


class SqsQueue:
    """Implements ports.TaskQueue; safe to share between threads, as its client is."""

    def __init__(self, client: "SQSClient", url: str, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.url = url
        self.name = url.rsplit("/", 1)[-1]

    def send(self, bodies: Sequence[str]) -> list[int]:
        """Raises CloudKonError for what SQS will never take, such as a message that is too long."""
        return self.send_later(bodies, 0)

    def send_later(self, bodies: Sequence[str], delay_s: float) -> list[int]:
        """Raises as send does."""
        if not bodies:
            return []
        delay = {"DelaySeconds": min(math.ceil(delay_s), MAX_DELAY_S)} if delay_s else {}
        entries: Any = [{"Id": str(position), "MessageBody": body, **delay} for position, body in enumerate(bodies)]
        with translated(f"send to {self.name}"):
            answer = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
            failed = accounted(answer, len(bodies))
        for entry in failed:
            self._raise_if_hopeless(entry, bodies[int(entry["Id"])])
        return _positions(failed)

    def receive(self, count: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        with translated(f"receive from {self.name}"):
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(count, MAX_BATCH_MESSAGES),
                WaitTimeSeconds=min(math.ceil(wait_s), MAX_WAIT_S),
                VisibilityTimeout=_whole_seconds(visibility_s),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            received_ms = self._clock.now_ms()
            return [
                Delivery(
                    message["Body"],
                    message["ReceiptHandle"],
                    int(message["Attributes"]["ApproximateReceiveCount"]),
                    received_ms,
                )
                for message in answer.get("Messages", [])
            ]

    def delete(self, receipts: Sequence[str]) -> list[int]:
        if not receipts:
            return []
        with translated(f"delete messages from {self.name}"):
            answer = self._client.delete_message_batch(
                QueueUrl=self.url,
                Entries=[{"Id": str(position), "ReceiptHandle": receipt} for position, receipt in enumerate(receipts)],
            )
            return _positions([entry for entry in accounted(answer, len(receipts)) if entry["Code"] not in _GONE])

    def hide(self, receipts: Sequence[str], seconds: float) -> list[int]:
        if not receipts:
            return []
        timeout = _whole_seconds(seconds)
        with translated(f"change the visibility of messages in {self.name}"):
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(position), "ReceiptHandle": receipt, "VisibilityTimeout": timeout}
                    for position, receipt in enumerate(receipts)
                ],
            )
            return _positions(accounted(answer, len(receipts)))

    def approximate_depth(self) -> Depth:
        with translated(f"ask for the depth of {self.name}"):
            attributes = self._client.get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )["Attributes"]
            return Depth(
                visible=int(attributes["ApproximateNumberOfMessages"]),
                in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
                delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
            )

    def max_receives(self) -> int | None:
        """After how many receives a message is moved to the dead letters; None if it never is, or nobody may say."""
        try:
            with translated(f"ask for the redrive policy of {self.name}"):
                asked = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["RedrivePolicy"])
                policy = asked.get("Attributes", {}).get("RedrivePolicy")
                return None if policy is None else int(json.loads(policy)["maxReceiveCount"])
        except DeniedError:  # of a stage whose role is of an earlier version
            return None

    def _raise_if_hopeless(self, entry: "BatchResultErrorEntryTypeDef", body: str) -> None:
        # SQS counts throttling among the sender's faults, and it is the one that passes.
        if entry["SenderFault"] and not is_busy(entry["Code"]):
            raise CloudKonError(
                f"Could not send to {self.name}: SQS refuses a message of {len(body.encode())} bytes for good "
                f"({entry['Code']}: {entry.get('Message', 'no reason given')})."
            )


def queue_url(client: "SQSClient", name: str) -> str:
    """Ask where a queue is; raise NotFoundError if there is none of this name."""
    try:
        with translated(f"look up the queue {name}"):
            return client.get_queue_url(QueueName=name)["QueueUrl"]
    except NotFoundError as error:
        raise NotFoundError(
            f"There is no queue {name} in this account and region. Is its name right, and is the stage up?"
        ) from error


def _whole_seconds(seconds: float) -> int:
    """Round up: a message that comes back too early runs against its own lease."""
    return max(0, min(math.ceil(seconds), MAX_VISIBILITY_S))


def _positions(failed: "Sequence[BatchResultErrorEntryTypeDef]") -> list[int]:
    return sorted(int(entry["Id"]) for entry in failed)
