"""submit, against S3 as moto plays it."""

import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.store import S3Store
from cloudkon.clock import SystemClock
from cloudkon.ledger.job import Job, RangeReport, Source, job_id
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.manual_clock import ManualClock

NUMBERS = itertools.count(1)
ACCOUNT, REGION = "123456789012", "eu-central-1"


@pytest.fixture
def stage(aws: AwsLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A stage of its own for each test, and the environment to find it."""
    enter(monkeypatch, aws.environment)
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    name = f"submit-{next(NUMBERS)}"
    monkeypatch.setenv("CLOUDKON_STAGE", name)
    return name


def bucket_of(stage: str) -> str:
    return f"cloudkon-{stage}-workloads-{ACCOUNT}-{REGION}"


@pytest.fixture
def store(stage: str, aws: AwsLab) -> S3Store:
    return aws.store(ManualClock(), name=bucket_of(stage))


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    path = tmp_path / "My tasks.txt"
    path.write_text("sleep 0\n")
    return path


def submit(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["submit", *arguments], input=stdin, catch_exceptions=False)


def keys(aws: AwsLab, store: S3Store) -> list[str]:
    return [found["Key"] for found in aws.s3.list_objects_v2(Bucket=store.bucket).get("Contents", [])]


def test_submit_prints_the_id_that_the_dispatcher_derives(aws: AwsLab, store: S3Store, workload: Path) -> None:
    """A file is uploaded under its name, and the id that the dispatcher derives is printed, and nothing else."""
    answer = submit(str(workload))
    assert (answer.exit_code, answer.stderr) == (0, "")
    version = aws.s3.head_object(Bucket=store.bucket, Key="My tasks.txt")["VersionId"]
    assert answer.stdout == f"{job_id(store.bucket, 'My tasks.txt', version)}\n"
    assert answer.stdout.startswith("my-tasks-")


def test_submit_as_json_is_a_line_a_file(aws: AwsLab, store: S3Store, workload: Path, tmp_path: Path) -> None:
    """As JSON there is a line a file, of these keys."""
    other = tmp_path / "other.txt"
    other.touch()
    answer = submit(str(workload), str(other), "--prefix", "night/", "--json")
    said = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [list(one) for one in said] == [["job", "bucket", "key", "version"]] * 2
    assert [one["key"] for one in said] == ["night/My tasks.txt", "night/other.txt"]
    assert sorted(keys(aws, store)) == ["night/My tasks.txt", "night/other.txt"]


def test_the_same_file_again_is_another_job(store: S3Store, workload: Path) -> None:
    """The same file again is another version, and another job."""
    assert submit(str(workload)).stdout != submit(str(workload)).stdout


def test_a_pipe_is_submitted_under_its_given_name(aws: AwsLab, store: S3Store) -> None:
    """What comes through a pipe is submitted under the name that it is given."""
    answer = submit("-", "--name", "piped.txt", stdin=b"sleep 1\n")
    assert answer.exit_code == 0
    assert b"".join(store.read("piped.txt")) == b"sleep 1\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.txt"], "none.txt does not exist."),
        ([], "Which workload?"),
        (["-"], "alone and with a name"),
        (["-", "x", "--name", "y"], "alone and with a name"),
        (["x", "y", "--name", "z"], "--name z is for one file, and 2 are given."),
        (["-", "--name", "piped.bin"], "stdin is a binary file."),
    ],
)
def test_nothing_half_done(aws: AwsLab, store: S3Store, workload: Path, arguments: list[str], said: str) -> None:
    """When one file can't be submitted, or the usage is wrong, none is, and the exit code is 2."""
    before = [str(workload)] if arguments == ["none.txt"] else []
    answer = submit(*before, *arguments, stdin=b"\0\0")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert said in answer.stderr
    assert keys(aws, store) == []


def test_a_bucket_without_versions_is_named_and_nothing_uploaded(aws: AwsLab, stage: str, workload: Path) -> None:
    """A bucket without versions is named, with the way out, and nothing is uploaded."""
    store = aws.store(ManualClock(), versioned=False, name=bucket_of(stage))
    answer = submit(str(workload))
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert f"{store.bucket} keeps no versions" in answer.stderr
    assert f"stack up --repair --stage {stage}" in answer.stderr
    assert keys(aws, store) == []


def test_a_stage_that_was_never_created_is_one_line(stage: str, workload: Path) -> None:
    """A stage that was never created is one line."""
    answer = submit(str(workload))
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert bucket_of(stage) in answer.stderr


def test_submit_with_watch_follows_the_job_to_its_end(
    aws: AwsLab, store: S3Store, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --watch the job is followed to its end."""
    empty = tmp_path / "empty.txt"
    empty.touch()
    ledger = aws.ledger(SystemClock(), name=f"cloudkon-{stage}-ledger")
    upload = S3Store.upload

    def dispatched(self: S3Store, key: str, source: Path) -> str | None:
        """Upload, and do at once what the dispatcher does later."""
        version = upload(self, key, source)
        assert version is not None
        now_ms = SystemClock().now_ms()
        job = job_id(self.bucket, key, version)
        ledger.open(Job(job, Source(self.bucket, key, version, now_ms), 0, 1, 1, 1, 0, now_ms))
        ledger.record_range(RangeReport(job, 0, 0, 0, 0, 0, now_ms, now_ms + 5))
        return version

    monkeypatch.setattr(S3Store, "upload", dispatched)
    answer = submit(str(empty), "--watch")
    assert answer.exit_code == 0
    assert answer.stderr == f"✓ {answer.stdout.strip()}: 0 tasks in 5.00 ms\n"
    assert CliRunner().invoke(cloudkon_cli, ["stats"]).stdout.startswith(f"job         {answer.stdout.strip()}\n")
