"""retry and export-failed of jobs whose workload is in S3, as moto plays it."""

import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.store import S3Store
from cloudkon.ledger.job import Job, Source, job_id
from cloudkon.ledger.lease import Claim, Claimed
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.queue import MemoryQueue
from cloudkon.messages.wire import decode_bundle
from dispatcher.dispatch import Dispatcher
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.manual_clock import ManualClock

NUMBERS = itertools.count(1)
ACCOUNT, REGION = "123456789012", "eu-central-1"
KEY = "night/tasks.txt"


class Stage:
    """A stage's workloads and ledger, and one job in which every task with a 1 in it has failed."""

    def __init__(self, aws: AwsLab, name: str) -> None:
        self.clock = ManualClock()
        self.workloads: S3Store = aws.store(self.clock, name=f"cloudkon-{name}-workloads-{ACCOUNT}-{REGION}")
        self.results: S3Store = aws.store(self.clock, name=f"cloudkon-{name}-results-{ACCOUNT}-{REGION}")
        self.ledger: DynamoLedger = aws.ledger(self.clock, name=f"cloudkon-{name}-ledger")

    def ran(self, body: bytes) -> Job:
        self.workloads.write(KEY, body)
        versions = self.workloads._client.list_object_versions(Bucket=self.workloads.bucket, Prefix=KEY)["Versions"]
        source = Source(self.workloads.bucket, KEY, versions[0]["VersionId"], self.clock.now_ms())
        queue = MemoryQueue(self.clock)
        dispatcher = Dispatcher(self.workloads, self.results, self.ledger, queue, self.clock)
        job = dispatcher.open(source)
        dispatcher.dispatch(job)
        now = self.clock.now_ms()
        for delivery in queue.receive(10, 0, 60):
            bundle = decode_bundle(delivery.body)
            answer = self.ledger.claim(Claim(bundle.key, bundle.lines, now, now, now, "w1", "t", now, now + 9_000))
            assert isinstance(answer, Claimed)
            states = [TaskState.FAILED if "1" in task else TaskState.SUCCEEDED for task in bundle.tasks]
            results = [
                TaskResult(state, now, 5, 1, error="boom" if state is TaskState.FAILED else None) for state in states
            ]
            self.ledger.complete(answer.lease, results, now)
        return job


@pytest.fixture
def stage(aws: AwsLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    enter(monkeypatch, aws.environment)
    name = f"retry-{next(NUMBERS)}"
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("CLOUDKON_STAGE", name)
    return Stage(aws, name)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, arguments, catch_exceptions=False)


def test_failed_tasks_are_put_into_the_bucket_as_a_new_job(stage: Stage) -> None:
    """What failed is put into the bucket under a key that names its origin; the new job's id is all that is printed."""
    job = stage.ran(b"sleep 0\nsleep 1\nsleep 2\nsleep 11\n")
    stage.workloads.write(KEY, b"something else by now\n")
    answer = run("retry", job.id)
    key = f"retry/{job.id}/tasks.txt"
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert b"".join(stage.workloads.read(key)) == (
        b"sleep 1\nsleep 11\n# From line 1 on, these are the lines 2+1,4+1 of %s.\n" % job.id.encode()
    )
    versions = stage.workloads._client.list_object_versions(Bucket=stage.workloads.bucket, Prefix=key)["Versions"]
    assert answer.stdout == f"{job_id(stage.workloads.bucket, key, versions[0]['VersionId'])}\n"
    (again,) = [json.loads(line) for line in run("retry", job.id, "--json").stdout.splitlines()]
    assert (again["key"], again["job"] != answer.stdout.strip()) == (key, True), "each retry is a job of its own"


def test_local_options_are_refused(stage: Stage) -> None:
    """Options of runs on this machine are refused for a job of the stage, and nothing is uploaded."""
    job = stage.ran(b"sleep 1\n")
    answer = run("retry", job.id, "-t", "4")
    assert (answer.exit_code, "are for LOCAL jobs" in answer.stderr) == (2, True)
    assert stage.workloads._client.list_objects_v2(Bucket=stage.workloads.bucket)["KeyCount"] == 1


def test_export_of_a_deleted_workload(stage: Stage) -> None:
    """A workload that is gone is told, and which job's it was."""
    job = stage.ran(b"sleep 1\n")
    stage.workloads._client.delete_object(Bucket=stage.workloads.bucket, Key=KEY, VersionId=job.source.version)
    answer = run("export-failed", job.id)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: The workload of {job.id} can't be read again: ")
