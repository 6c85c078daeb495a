"""gc over AWS as moto plays it: what is shown, what is removed, and what never is."""

import json
import time
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.session import Session
from cloudkon.stage.leftovers import DAY_MS
from cloudkon.telemetry.metering import Meter
from tests.support.emulators import remains
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.still_clock import StillClock

LATER_MS = time.time_ns() // 1_000_000 + 3 * DAY_MS
READS = ("Describe", "Get", "Head", "List", "Query")


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything was left alone for days."""
    monkeypatch.setattr("cli.terminal.options.SystemClock", lambda: StillClock(LATER_MS))


@pytest.fixture
def session(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Of an account that has enabled two regions; moto's has all, which takes its time."""
    enter(monkeypatch, aws.environment)
    monkeypatch.setattr("cloudkon.aws.leftovers.roles._other_regions", lambda _: ["us-east-1"])
    return aws.session


def gc(stage: str, *arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["gc", "--stage", stage, *arguments])


def told(stage: str, *arguments: str) -> dict[str, Any]:
    """What is left over, or was, by its id."""
    answer = gc(stage, "--json", *arguments)
    assert (answer.exit_code, "Warning" in answer.stderr) == (0, False), answer.output
    return {each["id"]: each for each in map(json.loads, answer.stdout.splitlines())}


def test_nothing_is_changed_unasked(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from a terminal everything is shown, what it costs too, and AWS is only read."""
    meter, names = Meter(), session.names("shown")
    left = remains.leave_machines(session, names) | remains.leave_dispatcher(session, names)
    monkeypatch.setattr("cli.stage.gc.Session", lambda: Session(meter))
    answer = gc("shown")
    assert answer.exit_code == 0
    assert all(f"  {id_}  " in answer.stdout for id_ in left)
    assert "  10 GiB: it is attached to nothing  " in answer.stdout
    assert "  0.80\n" in answer.stdout
    assert "Nothing was removed. Remove it for good: cloudkon-cli gc --stage shown --yes" in answer.stderr
    assert {name for name in meter.totals() if not name.partition(".")[2].startswith(READS)} == set()


def test_what_is_shown_goes_and_the_neighbour_stays(session: Session) -> None:
    """With --yes all that was shown is removed, and nothing of a stage whose name begins with this one's."""
    names, neighbour = session.names("near"), session.names("near-2")
    left = remains.leave_machines(session, names) | remains.leave_dispatcher(session, names)
    theirs = remains.leave_machines(session, neighbour) | remains.leave_dispatcher(session, neighbour)
    removed = told("near", "--yes")
    assert set(removed) == left
    assert all(each["removed"] for each in removed.values())
    assert told("near") == {}
    assert set(told("near-2")) == theirs


def test_a_stage_that_stands(session: Session) -> None:
    """While its buckets are there, a stage's function, role, logs and alarms are not left over, stack or none."""
    names = session.names("stands")
    remains.make_buckets(session, names)
    remains.leave_dispatcher(session, names)
    assert told("stands") == {}


def test_a_role_that_works_elsewhere(session: Session) -> None:
    """The role of a stage that is gone here stays while a function in another region has it."""
    names, function = session.names("twice"), "cloudkon-twice-ingest"
    role = remains.make_role(session, function)
    remains.make_function(session, names, function, role, region="us-east-1")
    assert told("twice") == {}
    session.functions("us-east-1").delete_function(FunctionName=function)
    assert told("twice", "--yes")[function]["kind"] == "role"


def test_a_function_of_somebody_else(session: Session) -> None:
    """A function with a name such as the stage's, which does not work for the stage, keeps its role and its log."""
    names, function = session.names("mine"), "cloudkon-mine-report"
    remains.make_function(session, names, function, remains.make_role(session, function), stage="")
    session.logs().create_log_group(logGroupName=f"/aws/lambda/{function}")
    assert told("mine") == {}


def test_unused_artifacts_and_old_uploads_go_and_results_stay(session: Session) -> None:
    """Artifacts that no image was made from and old uploads go; results, and artifacts of an image, do not."""
    names, s3 = session.names("files"), session.s3()
    bucket = names.results_bucket
    remains.make_buckets(session, names)
    remains.image(session.ec2(), names, digest="aaaaaaaaaaaa")
    kept = {"outputs/job/1", "artifacts/notes.txt", "artifacts/aaaaaaaaaaaa/a.whl"}
    for key in (*kept, "artifacts/bbbbbbbbbbbb/b.whl", "artifacts/bbbbbbbbbbbb/constraints.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"content")
    s3.create_multipart_upload(Bucket=names.workloads_bucket, Key="large.txt")
    removed = told("files", "--yes")
    assert set(removed) == {f"s3://{bucket}/artifacts/bbbbbbbbbbbb/", f"s3://{names.workloads_bucket}/large.txt"}
    assert {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]} == kept
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=names.workloads_bucket)
