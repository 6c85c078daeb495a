"""submit animoto, against S3 and DynamoDB as moto plays them: pictures go up, a video comes back."""

import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.ledger.dynamodb import DynamoLedger
from cloudkon.aws.store import S3Store
from cloudkon.ledger.job import Source
from cloudkon.ledger.lease import Claim, Claimed
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.queue import MemoryQueue
from cloudkon.messages.wire import decode_bundle
from dispatcher.dispatch import Dispatcher
from tests.support.data.pixels import BLUE, RED, encoded, stripes
from tests.support.data.tones import wav
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.manual_clock import ManualClock

NUMBERS = itertools.count(1)
ACCOUNT, REGION = "123456789012", "eu-central-1"
VIDEO = b"a video"


class Stage:
    """A stage's buckets and ledger; its worker makes the same video of everything."""

    def __init__(self, aws: AwsLab, name: str) -> None:
        self.clock = ManualClock()
        self.workloads: S3Store = aws.store(self.clock, name=f"cloudkon-{name}-workloads-{ACCOUNT}-{REGION}")
        self.results: S3Store = aws.store(self.clock, name=f"cloudkon-{name}-results-{ACCOUNT}-{REGION}")
        self.ledger: DynamoLedger = aws.ledger(self.clock, name=f"cloudkon-{name}-ledger")

    def keys(self, store: S3Store) -> list[str]:
        listed = store._client.list_objects_v2(Bucket=store.bucket).get("Contents", [])
        return [found["Key"] for found in listed]

    def work(self) -> None:
        """Dispatch what was submitted, and make its video."""
        (version,) = self.workloads._client.list_object_versions(Bucket=self.workloads.bucket)["Versions"]
        source = Source(self.workloads.bucket, version["Key"], version["VersionId"], self.clock.now_ms())
        queue = MemoryQueue(self.clock)
        dispatcher = Dispatcher(self.workloads, self.results, self.ledger, queue, self.clock)
        dispatcher.dispatch(dispatcher.open(source))
        now = self.clock.now_ms()
        (delivery,) = queue.receive(10, 0, 60)
        bundle = decode_bundle(delivery.body)
        answer = self.ledger.claim(Claim(bundle.key, bundle.lines, now, now, now, "w1", "t", now, now + 9_000))
        assert isinstance(answer, Claimed)
        self.results.write("outputs/video.mp4", VIDEO)
        done = TaskResult(TaskState.SUCCEEDED, now, 5, 1, output="outputs/video.mp4", recorded_ms=now)
        self.ledger.complete(answer.lease, [done], now)


@pytest.fixture
def stage(aws: AwsLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """A stage of its own, and a folder of two pictures."""
    enter(monkeypatch, aws.environment)
    name = f"animoto-{next(NUMBERS)}"
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("CLOUDKON_STAGE", name)
    monkeypatch.chdir(tmp_path)
    Path("holiday").mkdir()
    for picture, colour in {"IMG 2.png": RED, "IMG 10.png": BLUE}.items():
        Path("holiday", picture).write_bytes(encoded(stripes(96, 54, colour), "PNG"))
    return Stage(aws, name)


def submit(*words: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["submit", "animoto", *words])


def test_pictures_are_uploaded_where_workers_may_read_them(stage: Stage) -> None:
    """The workload has their URLs in the order of their names, and what was asked of the video; the id is printed."""
    Path("song.wav").write_bytes(wav(seconds=0.5))
    answer = submit("holiday/", "--title", "June", "--audio", "song.wav")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("holiday-")
    assert stage.keys(stage.workloads) == ["animoto/holiday.txt"]
    task = json.loads(b"".join(stage.workloads.read("animoto/holiday.txt")))
    urls: list[str] = [*task["images"], task["audio"]]
    assert [url.rpartition("-")[2] for url in urls] == ["IMG 2.png", "IMG 10.png", "song.wav"]
    place = f"s3://{stage.results.bucket}/"
    assert {url.removeprefix(place) for url in urls} == set(stage.keys(stage.results))
    assert all(url.startswith(f"{place}pictures/") for url in urls)
    assert (task["task"], task["title"], task["transition"]) == ("animoto", "June", "fade")


def test_the_video_is_waited_for_and_fetched(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -o the video is in the file in the end, and a video that is there already is refused before all else."""

    def watched(*_others: object, **_more: object) -> bool:
        stage.work()
        return True

    monkeypatch.setattr("cli.running.submit_animoto.watch_to_end", watched)
    answer = submit("holiday", "-o", "my.mp4")
    assert answer.exit_code == 0, answer.output
    assert Path("my.mp4").read_bytes() == VIDEO
    assert "my.mp4: 2 pictures, 7 B" in answer.stderr
    again = submit("holiday", "-o", "my.mp4")
    assert (again.exit_code, stage.keys(stage.workloads)) == (2, ["animoto/holiday.txt"])
    assert "my.mp4 exists" in again.stderr


def test_a_file_of_that_name_is_a_workload(stage: Stage) -> None:
    """Who has a workload named animoto can submit it."""
    Path("animoto").write_text("sleep 0\n", encoding="utf-8")
    Path("other").write_text("sleep 0\n", encoding="utf-8")
    answer = submit("other")
    assert answer.exit_code == 0, answer.output
    assert stage.keys(stage.workloads) == ["animoto", "other"]
