"""Each permission is needed: without it, the call that it is for is refused by the embedded cloud, and with it, not."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudkon.aws.function_events import FunctionEvents
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.queue import SqsQueue, queue_url
from cloudkon.aws.store import S3Store
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, DeniedError
from cloudkon.ledger.lease import Completion, Lease
from cloudkon.stage.names import Names
from tests.support.data.rows import ask, key
from tests.support.emulators.policies import KEY, LAMBDA, PICTURES, Grant, document, grants
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker

USER = "somebody"
NO_RECEIPT = "AAAA"
"""Whether somebody may use it is asked before whether it is one."""
NUMBERS = itertools.count()
# What the embedded cloud does not have, does not ask about, or (of parameters) takes to be about all that there are;
# tests/unit/project/test_policies.py proves these alone.
NOT_PLAYED = (*("autoscaling:", "ec2:", "iam:", "pricing:", "ssm:", "ssmmessages:", "xray:", "cloudformation:"),)
PLAYED_ROLES = (LAMBDA, "worker", "operator")
# Its clients are made for this; the names are what the embedded cloud's are.
GRANTS = [
    grant
    for grant in grants(Names(STAGE, "000000000000", "us-east-1"))
    if grant.role in PLAYED_ROLES and not grant.action.startswith(NOT_PLAYED)
]


@dataclass(slots=True)
class Person:
    """A user of the embedded cloud whose one policy is replaced in place."""

    aws: EmbeddedAws
    keys: tuple[str, str]
    clock: SystemClock = field(default_factory=SystemClock)

    def may(self, allowed: list[Grant]) -> None:
        self.aws.client("iam").put_user_policy(UserName=USER, PolicyName="all", PolicyDocument=document(allowed))

    def client(self, service: str) -> Any:
        return self.aws.client(service, *self.keys)

    def queue(self, grant: Grant) -> SqsQueue:
        url = self.aws.client("sqs").get_queue_url(QueueName=grant.resource.rsplit(":", 1)[1])["QueueUrl"]
        return SqsQueue(self.client("sqs"), url, self.clock)

    def store(self, grant: Grant) -> S3Store:
        return S3Store(self.client("s3"), bucket_of(self.aws, grant), self.clock)

    def ledger(self) -> DynamoLedger:
        table = self.aws.names.ledger_table
        return DynamoLedger(self.client("dynamodb"), table, guard_ms=0, retention_s=60, clock=self.clock)


@pytest.fixture(scope="module")
def person(embedded_cloud: EmbeddedAws) -> Iterator[Person]:
    iam, s3 = embedded_cloud.client("iam"), embedded_cloud.client("s3")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    with suppress(ClientError):
        s3.create_bucket(Bucket=PICTURES)
    yield Person(embedded_cloud, (key["AccessKeyId"], key["SecretAccessKey"]))
    iam.delete_user_policy(UserName=USER, PolicyName="all")
    iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=USER)


def bucket_of(aws: EmbeddedAws, grant: Grant) -> str:
    if "workloads" in grant.resource:
        return aws.names.workloads_bucket
    return aws.names.results_bucket if "results" in grant.resource else PICTURES


def key_of(grant: Grant) -> str:
    return grant.resource.partition("/")[2].replace("*", "permission")


def group_of(grant: Grant) -> str:
    """A log group that the grant is for."""
    return grant.resource.partition(":log-group:")[2].replace("-*", "-ingest").removesuffix("*")


def _object(person: Person, grant: Grant) -> tuple[str, str | None]:
    """The key of an object that somebody else has written where the grant is for, and its version."""
    bucket, key = bucket_of(person.aws, grant), key_of(grant)
    return key, person.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"#\n").get("VersionId")


def get_object(person: Person, grant: Grant) -> None:
    list(person.store(grant).read(_object(person, grant)[0]))


def get_version(person: Person, grant: Grant) -> None:
    list(person.store(grant).read(*_object(person, grant)))


def abort(person: Person, grant: Grant) -> None:
    asked = {"Bucket": bucket_of(person.aws, grant), "Key": key_of(grant)}
    upload = person.aws.client("s3").create_multipart_upload(**asked)["UploadId"]
    person.client("s3").abort_multipart_upload(**asked, UploadId=upload)


def list_bucket(person: Person, grant: Grant) -> None:
    person.client("s3").list_objects_v2(Bucket=bucket_of(person.aws, grant))


KEPT_IN = {LAMBDA: ("workloads", "results"), "worker": ("results", "results"), "operator": ("workloads", "workloads")}
"""The buckets that a role reads from, and writes to."""
KEPT_BELOW = {LAMBDA: ("in", "rejects"), "worker": ("outputs", "outputs"), "operator": ("in", "in")}


def encrypted(person: Person, grant: Grant, which: int) -> dict[str, Any]:
    """Where the role may read or write an object, and by which key of the account's it is encrypted."""
    names = {"workloads": person.aws.names.workloads_bucket, "results": person.aws.names.results_bucket}
    return {
        "Bucket": names[KEPT_IN[grant.role][which]],
        "Key": f"{KEPT_BELOW[grant.role][which]}/secret",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": f"arn:aws:kms:{person.aws.names.region}:{person.aws.names.account}:key/{KEY}",
    }


def read_encrypted(person: Person, grant: Grant) -> None:
    asked = encrypted(person, grant, 0)
    person.aws.client("s3").put_object(**asked, Body=b"#\n")
    person.client("s3").get_object(Bucket=asked["Bucket"], Key=asked["Key"])


def write_encrypted(person: Person, grant: Grant) -> None:
    person.client("s3").put_object(**encrypted(person, grant, 1), Body=b"#\n")


def create_stream(person: Person, grant: Grant) -> None:
    group = group_of(grant)
    person.client("logs").create_log_stream(logGroupName=group, logStreamName=f"stream-{next(NUMBERS)}")


def put_events(person: Person, grant: Grant) -> None:
    group, stream = group_of(grant), f"stream-{next(NUMBERS)}"
    person.aws.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": person.clock.now_ms(), "message": "hello"}
    person.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def get_events(person: Person, grant: Grant) -> None:
    group, stream = group_of(grant), f"stream-{next(NUMBERS)}"
    person.aws.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    person.client("logs").get_log_events(logGroupName=group, logStreamName=stream)


def put_item(person: Person, _: Grant) -> None:
    row = {"pk": {"S": "permission"}, "sk": {"S": str(next(NUMBERS))}}
    person.client("dynamodb").put_item(TableName=person.aws.names.ledger_table, Item=row)


def claim_together(person: Person, _: Grant) -> None:
    """Two new bundles in one call; a ledger that may not would claim them one by one."""
    ledger, job = person.ledger(), f"permission-{next(NUMBERS)}"
    statements = [ledger._claim_statement(ask(key(number, job_=job))) for number in range(2)]
    assert ledger._table.write_each(statements) == ["", ""]


def complete_together(person: Person, _: Grant) -> None:
    """Two bundles, of which there are no rows: each is refused by its condition, and none for want of permission."""
    ledger, made_by = person.ledger(), ask(key(job_=f"permission-{next(NUMBERS)}"))
    lease = Lease(made_by.key, made_by.owner, 1, made_by.token, made_by.event_ms, made_by.now_ms, made_by.until_ms)
    done = Completion(lease, made_by.lines, made_by.sent_ms, made_by.received_ms, [])
    statement = ledger._complete_statement(done, 1)
    assert statement is not None
    assert ledger._table.write_each([statement]) == ["ConditionalCheckFailed"]


ACTS: dict[str, Callable[[Person, Grant], object]] = {
    "dynamodb:GetItem": lambda person, _: person.ledger().job("no-such-job"),
    "dynamodb:PartiQLInsert": claim_together,
    "dynamodb:PartiQLUpdate": complete_together,
    "dynamodb:PutItem": put_item,
    "dynamodb:Query": lambda person, _: person.ledger().dispatched("no-such-job"),
    "dynamodb:UpdateItem": lambda person, _: person.ledger().resume("no-such-job", 0),
    "kms:Decrypt": read_encrypted,
    "kms:GenerateDataKey": write_encrypted,
    "lambda:InvokeFunction": lambda person, grant: FunctionEvents(
        person.client("lambda"), grant.resource.rpartition(":")[2]
    ).send(['{"Records": []}']),
    "logs:CreateLogStream": create_stream,
    "logs:FilterLogEvents": lambda person, grant: person.client("logs").filter_log_events(logGroupName=group_of(grant)),
    "logs:GetLogEvents": get_events,
    "logs:PutLogEvents": put_events,
    "s3:AbortMultipartUpload": abort,
    "s3:GetBucketVersioning": lambda person, grant: person.store(grant).is_versioned(),
    "s3:GetObject": get_object,
    "s3:GetObjectVersion": get_version,
    "s3:ListBucket": list_bucket,
    "s3:PutObject": lambda person, grant: person.store(grant).write(key_of(grant), b"#\n"),
    "sqs:ChangeMessageVisibility*": lambda person, grant: person.queue(grant).hide([NO_RECEIPT], 0),
    "sqs:DeleteMessage*": lambda person, grant: person.queue(grant).delete([NO_RECEIPT]),
    "sqs:GetQueueAttributes": lambda person, grant: person.queue(grant).approximate_depth(),
    "sqs:GetQueueUrl": lambda person, grant: queue_url(person.client("sqs"), grant.resource.rsplit(":", 1)[1]),
    "sqs:ReceiveMessage": lambda person, grant: person.queue(grant).receive(1, 0, 0),
    "sqs:SendMessage*": lambda person, grant: person.queue(grant).send(["not for any worker"]),
}


def refused(person: Person, grant: Grant) -> bool:
    try:
        ACTS[grant.action](person, grant)
    except DeniedError:
        return True
    except (ClientError, CloudKonError) as error:
        if any(word in str(error) for word in ("AccessDenied", "not authorized")):
            return True
        raise
    return False


@pytest.fixture(autouse=True)
def _clean(embedded_cloud: EmbeddedAws) -> Iterator[None]:
    """No message is left to anybody else."""
    yield
    sqs, names = embedded_cloud.client("sqs"), embedded_cloud.names
    for queue in (names.task_queue, names.range_queue, names.process_queue, names.dead_letter_queue):
        sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: f"{grant.role}-{grant.sid}-{grant.action}-{grant.shown}")
def test_each_permission_is_needed(person: Person, grant: Grant) -> None:
    """With all that its role may do but this one permission, the call it is for is refused; with all, it is not."""
    allowed = [each for each in GRANTS if each.role == grant.role]
    person.may([each for each in allowed if each is not grant])
    assert refused(person, grant)
    person.may(allowed)
    assert not refused(person, grant)


def test_none_is_missing_for_a_worker(person: Person, desk: JobDesk, tmp_path: Path) -> None:
    """A worker that may do what its role may, and nothing else, brings a job to its end, outputs and all."""
    person.may([each for each in GRANTS if each.role == "worker"])
    access, secret = person.keys
    environment = {**person.aws.environment, "AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}
    job = desk.drop(
        "permissions.txt", f"#cloudkon: retries=0\nsleep 1\nkeep hello\necho {'long ' * 1_000}\nfail once\n".encode()
    )
    with worker(environment, tmp_path, "--threads", "2", "--tasks", "tests.support.data.user_tasks") as one:
        stats = desk.finish(job)
        one.terminate()
        assert one.exit_code() == 0
        assert "AccessDenied" not in one.said()
        assert "row by row" not in one.said()
    assert (stats["tasks"]["succeeded"], stats["tasks"]["failed"]) == (3, 1)
    assert {result["output"].partition("/")[0] for result in desk.results(job) if "output" in result} == {
        "outputs",
        "values",
    }
