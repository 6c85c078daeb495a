import json
from typing import Any

import pytest

from cloudkon.aws.checkups.queues import check_queues
from cloudkon.stage.checkup import Verdict
from tests.support.emulators.checkups import NAMES, problems, subject
from tests.support.emulators.scripted_aws import refusal


def queues(dead: str = "0", **attributes: str) -> dict[str, Any]:
    redrive = json.dumps({"deadLetterTargetArn": f"arn:x:{NAMES.dead_letter_queue}", "maxReceiveCount": 100})
    usual = {"RedrivePolicy": redrive, "VisibilityTimeout": "150", "MessageRetentionPeriod": "1209600"}
    return {
        "get_queue_url": lambda QueueName: {"QueueUrl": f"https://sqs/{QueueName}"},  # noqa: N803 (boto3's name)
        "get_queue_attributes": {"Attributes": usual | {"ApproximateNumberOfMessages": dead} | attributes},
    }


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (queues(), ""),
        (queues(RedrivePolicy="{}"), "is not moved"),
        (queues(RedrivePolicy="not JSON"), "is not moved"),
        (queues(VisibilityTimeout="120"), "comes back"),
        (queues(MessageRetentionPeriod="345600"), "forgets messages after 4 days"),
        (queues(dead="3"), "About 3 messages"),
        (queues(ApproximateNumberOfMessagesNotVisible="96000"), "96,000 messages of cloudkon-dev-tasks, of 120,000"),
        ({"get_queue_url": refusal("AWS.SimpleQueueService.NonExistentQueue")}, "There is no queue"),
    ],
)
def test_queues_are_judged_by_retention_visibility_and_redrive(answers: dict[str, Any], said: str) -> None:
    """Queues are there, keep messages for long enough, hide them for long enough, and are wired to the dead letters."""
    found = problems(check_queues(subject(sqs=answers)))
    assert said in found
    assert bool(said) == bool(found)


def test_a_stage_without_a_queue_for_paused_jobs_is_told() -> None:
    """A stack of an earlier version has no parked queue: its paused jobs would keep the fleet up."""

    def url(QueueName: str) -> Any:  # noqa: N803 (boto3's name)
        if QueueName == NAMES.parked_queue:
            return refusal("AWS.SimpleQueueService.NonExistentQueue")
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    (missing,) = [
        each
        for each in check_queues(subject(sqs={**queues(), "get_queue_url": url}))
        if each.verdict is Verdict.PROBLEM
    ]
    assert NAMES.parked_queue in missing.says
