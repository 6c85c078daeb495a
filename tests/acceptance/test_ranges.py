"""A workload that is too large for one range: a function opens the job, and several runs of another dispatch it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from cloudkon.ledger.job import RANGE_BYTES
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import WorkerProcess

INGEST, DISPATCH_RANGE = (f"cloudkon-{STAGE}-{function}" for function in ("ingest", "dispatch_range"))
HEADER = b"#cloudkon: bundle=64\n"
SHORT, MALFORMED = b"sleep 0\n", b'sleep "0\n'
LONG = b"sleep 0" + b" " * 100_000 + b"\n"


@dataclass(frozen=True)
class Large:
    """A workload, and which of its lines are tasks."""

    body: bytes
    tasks: list[int]
    malformed: list[int]

    @property
    def ranges(self) -> int:
        return -(-len(self.body) // RANGE_BYTES)


def large(size_bytes: int, shorts: int) -> Large:
    """So many short tasks before each long one, and a malformed line after every fourth, until the size is reached."""
    block = ([SHORT] * shorts + [LONG]) * 4 + [MALFORMED]
    lines = [HEADER, *block * (1 + size_bytes // sum(map(len, block)))]
    numbered = list(enumerate(lines, start=1))
    tasks = [number for number, line in numbered if line in (SHORT, LONG)]
    return Large(b"".join(lines), tasks, [number for number, line in numbered if line == MALFORMED])


LATE = {"api_calls", "cost"}
"""What workers tell of themselves, some seconds after a job is complete."""


@pytest.fixture(scope="module")
def workload() -> Large:
    return large(17 * 1024 * 1024, shorts=40)


@pytest.fixture(scope="module")
def finished(desk: JobDesk, two_workers: list[WorkerProcess], workload: Large) -> dict[str, Any]:
    """The statistics of the dropped workload, once it is complete."""
    job = desk.drop("large.txt", workload.body)
    desk.finish(job)
    desk.await_empty(desk.aws.names.task_queue)
    desk.await_empty(desk.aws.names.range_queue)
    return desk.stats(job)


def said(desk: JobDesk, function: str, words: str) -> list[str]:
    """What a function has logged with these words in it; nothing before its first run."""
    logs = desk.aws.client("logs")
    with suppress(logs.exceptions.ResourceNotFoundException):
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}", filterPattern=f'"{words}"')["events"]
        return [message for event in found if words in (message := event["message"])]
    return []


def test_boundaries_are_within_lines(workload: Large) -> None:
    """The workload has three ranges, and a line runs over each boundary."""
    assert workload.ranges == 3
    for boundary in (RANGE_BYTES, 2 * RANGE_BYTES):
        assert b"\n" not in workload.body[boundary - 2 : boundary + 2]


def test_every_task_runs_once(finished: dict[str, Any], workload: Large) -> None:
    """The tasks of all ranges are counted and run, each once."""
    assert finished["tasks"] == {
        "total": len(workload.tasks) + len(workload.malformed),
        "succeeded": len(workload.tasks),
        "failed": 0,
        "rejected": len(workload.malformed),
        "running": 0,
        "pending": 0,
    }
    assert finished["executions"] == len(workload.tasks)


def test_lines_are_numbered_through(desk: JobDesk, finished: dict[str, Any], workload: Large) -> None:
    """results names each task, and each rejected line, by its line in the whole workload."""
    outcomes = desk.results(finished["job"])
    assert [outcome["task"] for outcome in outcomes if outcome["state"] == "succeeded"] == workload.tasks
    assert [outcome["task"] for outcome in outcomes if outcome["state"] == "rejected"] == workload.malformed
    names = desk.aws.names
    prefix = f"rejects/{finished['job']}/"
    listed = desk.aws.client("s3").list_objects_v2(Bucket=names.results_bucket, Prefix=prefix)["Contents"]
    assert [found["Key"].removeprefix(prefix) for found in listed] == [f"0000{n}-00000.jsonl" for n in range(3)]


def test_each_range_has_a_run_of_its_own(desk: JobDesk, finished: dict[str, Any], workload: Large) -> None:
    """One function has sent the ranges, and another has run once for each of them."""
    job = finished["job"]

    def logged() -> bool:
        """As many lines in the logs as there are ranges and one, which come after the functions have ended"""
        return len(said(desk, INGEST, job)) >= 1 and len(said(desk, DISPATCH_RANGE, job)) >= workload.ranges

    assert eventually(logged)
    assert [f"spread {job}: " in line for line in said(desk, INGEST, job)] == [True]
    dispatched = sorted(line[line.index("range ") :].strip() for line in said(desk, DISPATCH_RANGE, job))
    assert dispatched == [f"range {number} of {job}" for number in range(workload.ranges)]


def test_the_same_event_again_sends_nothing(desk: JobDesk, finished: dict[str, Any]) -> None:
    """The event of a job whose ranges are dispatched puts nothing on any queue."""
    source = finished["source"]
    found = {"key": source["key"], "versionId": source["version"]}
    record = {"eventTime": "2026-01-01T00:00:00.000Z", "s3": {"bucket": {"name": source["bucket"]}, "object": found}}
    answer = desk.aws.client("lambda").invoke(FunctionName=INGEST, Payload=json.dumps({"Records": [record]}))
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert [desk.depth(queue) for queue in (desk.aws.names.range_queue, desk.aws.names.task_queue)] == [0, 0]
    settled = {name: told for name, told in finished.items() if name not in LATE}
    assert {name: told for name, told in desk.stats(finished["job"]).items() if name not in LATE} == settled


@contextmanager
def no_rejects(desk: JobDesk) -> Iterator[None]:
    """Deny the function to write what it writes when it has sent its bundles."""
    role = desk.aws.client("lambda").get_function(FunctionName=DISPATCH_RANGE)["Configuration"]["Role"].split("/")[-1]
    resource = f"arn:aws:s3:::{desk.aws.names.results_bucket}/rejects/*"
    statement = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam, name = desk.aws.client("iam"), {"RoleName": role, "PolicyName": "no-rejects"}
    iam.put_role_policy(**name, PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(**name)


def test_a_range_that_failed_half_way_is_dispatched_again(desk: JobDesk, two_workers: list[WorkerProcess]) -> None:
    """A function that fails when it has sent its bundles is called again by SQS, and no task runs again."""
    halves = large(9 * 1024 * 1024, shorts=4)
    with no_rejects(desk):
        job = desk.drop("halves.txt", halves.body)

        def failed() -> list[str]:
            """The complaint of a range that could not write its rejects"""
            return [line for line in said(desk, DISPATCH_RANGE, job) if f"rejects/{job}" in line]

        assert "receive 1 of " in eventually(failed)[0]
        assert desk.stats(job)["state"] == "dispatching"
    stats = desk.finish(job)
    assert stats["tasks"]["succeeded"] == stats["executions"] == len(halves.tasks)
    desk.await_empty(desk.aws.names.range_queue)
    desk.await_empty(desk.aws.names.task_queue)
    assert desk.stats(job)["duplicates_dropped"] > 0


@contextmanager
def redriven_after(desk: JobDesk, receives: int) -> Iterator[None]:
    """Let the queue of ranges give a message up sooner than after half an hour."""
    sqs, name = desk.aws.client("sqs"), "RedrivePolicy"
    url = sqs.get_queue_url(QueueName=desk.aws.names.range_queue)["QueueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    hasty = json.dumps({**json.loads(policy), "maxReceiveCount": receives})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: hasty})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: policy})


def test_what_is_no_range_ends_as_a_dead_letter(desk: JobDesk) -> None:
    """A message that can't be decoded is logged with the reason, and moved to the dead letters."""
    names = desk.aws.names

    def dead() -> bool:
        """A dead letter"""
        return "not a range" in desk.take(names.dead_letter_queue)

    with redriven_after(desk, receives=1):
        sqs = desk.aws.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=names.range_queue)["QueueUrl"], MessageBody="not a range")
        eventually(dead)
    assert "not JSON" in said(desk, DISPATCH_RANGE, "receive 1 of not a range")[0]
