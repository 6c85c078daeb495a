"""A worker process is killed in the middle of a video; pictures come over HTTP and from S3, which moto plays."""

import itertools
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import av
import pytest
from moto.s3.models import S3Backend
from PIL import Image

from cloudkon.aws.multipart import MULTIPART_ABOVE_BYTES
from cloudkon.clock import SystemClock
from cloudkon.handlers.scratch import PREFIX
from cloudkon.stage.names import Names
from tests.support.data.pixels import BLUE, GREEN, RED, encoded, stripes
from tests.support.emulators.moto_aws import AwsLab
from tests.support.servers.picture_server import PictureServer, hang, picture_server, whole
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import run_cli
from tests.support.worlds.workers import QUICK, worker

_NUMBERS = itertools.count(1)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        yield served


@pytest.fixture
def names() -> Names:
    """Of a stage of its own."""
    return Names(f"videos-{next(_NUMBERS)}", "123456789012", "eu-central-1")


@pytest.fixture
def environment(aws: AwsLab, names: Names, tmp_path: Path) -> dict[str, str]:
    """The stage, and the environment in which it is found."""
    for queue in (names.task_queue, names.process_queue, names.dead_letter_queue):
        aws.queue(SystemClock(), queue)
    aws.ledger(SystemClock(), name=names.ledger_table)
    aws.store(SystemClock(), name=names.results_bucket)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_"))}
    home = {"CLOUDKON_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}  # what is killed leaves its temporary files
    own = {"CLOUDKON_STAGE": names.stage, "CLOUDKON_ANIMOTO_ALLOW": "127.0.0.0/8"}
    return kept | aws.environment | home | own


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a video whose first worker was killed."""

    job: str
    output: str
    sheet: str
    link: str
    stored: frozenset[str]
    uploads: int


def ended(
    aws: AwsLab,
    names: Names,
    environment: dict[str, str],
    folder: Path,
    line: str,
    is_time: Callable[[], bool],
    meanwhile: Callable[[], None] = lambda: None,
) -> Ended:
    """Run a workload of one video, kill its first worker when it is time, and let a second one end it."""
    workload = folder / "videos.txt"
    workload.write_text(line)
    command = [sys.executable, "-m", "cli.main", "run", names.task_queue, "-s", str(workload), "-t", "1", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        try:
            with worker(environment, folder, "--threads", "1") as victim:
                eventually(lambda: is_time() or victim.process.poll() is not None)
                victim.kill()
            meanwhile()
            assert len(list(folder.glob(f"{PREFIX}*"))) == 1
            with worker(environment, folder, "--threads", "1") as second:
                out, said = run.communicate()
            assert run.returncode == 0, said
            assert "swept 1 folders that tasks of killed workers had left" in second.said()
        finally:
            run.kill()
    stats = json.loads(out)
    assert stats["tasks"]["succeeded"] == 1
    assert set(stats["handler_stages"]) == {"download", "decode", "encode", "upload"}
    [shown] = run_cli(environment, "results", "--presign", "1h", "--json").stdout.splitlines()
    result = json.loads(shown)
    assert list(folder.glob(f"{PREFIX}*")) == []
    return Ended(
        stats["job"],
        result["output"],
        result["value"]["sheet"],
        result["link"],
        stored(aws, names),
        len(uploads(aws, names)),
    )


def stored(aws: AwsLab, names: Names) -> frozenset[str]:
    listed = aws.s3.list_objects_v2(Bucket=names.results_bucket, Prefix="outputs/")["Contents"]
    return frozenset(each["Key"] for each in listed)


def uploads(aws: AwsLab, names: Names) -> list[str]:
    return [each["Key"] for each in aws.s3.list_multipart_uploads(Bucket=names.results_bucket).get("Uploads", [])]


def frames(link: str, folder: Path) -> int:
    """How many frames the video has that a link leads to."""
    made = folder / "made.mp4"
    with urlopen(link, timeout=10) as opened:
        made.write_bytes(opened.read())
    with av.open(str(made)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_another_worker_makes_the_video(
    aws: AwsLab, names: Names, environment: dict[str, str], server: PictureServer, tmp_path: Path
) -> None:
    """The second worker's video is whole, the one that is recorded, and its link opens; nothing else is left."""
    pictures = aws.store(SystemClock(), name="my-pictures")
    pictures.write("a/green.png", encoded(stripes(640, 360, GREEN)))
    red = server.serve("red.png", encoded(stripes(640, 360, RED)))
    blue = server.serve("blue.png", hang, whole(encoded(stripes(640, 360, BLUE))))
    line = f"animoto {red} s3://my-pictures/a/green.png {blue}\n"
    end = ended(aws, names, environment, tmp_path, line, lambda: "/blue.png" in server.asked)
    assert "/00000.000000/2/0/video.mp4" in end.output
    assert frames(end.link, tmp_path) == 90
    assert end.stored == {end.output, end.sheet}
    assert end.uploads == 0


class Halt:
    """Holds the first request that comes to a place until it is let go."""

    def __init__(self) -> None:
        self.reached, self.goes_on = threading.Event(), threading.Event()

    def at(self, patch: pytest.MonkeyPatch, verb: str, is_the_one: Callable[..., bool]) -> None:
        real = getattr(S3Backend, verb)

        def held(backend: S3Backend, *arguments: Any, **named: Any) -> Any:
            if is_the_one(*arguments) and not self.reached.is_set():
                self.reached.set()
                assert self.goes_on.wait(60)
            return real(backend, *arguments, **named)

        patch.setattr(S3Backend, verb, held)


@pytest.mark.parametrize(
    ("verb", "is_the_one", "left"),
    [
        ("upload_part", lambda *place: place[2] == 2, {"video.mp4": "unfinished"}),
        (
            "put_object",
            lambda *place: place[1].endswith("sheet.jpg"),
            {"video.mp4": "replaced", "sheet.jpg": "replaced"},
        ),
    ],
    ids=["in the middle of the video", "behind the video"],
)
def test_what_a_killed_upload_leaves_is_swept(
    aws: AwsLab,
    names: Names,
    environment: dict[str, str],
    server: PictureServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    is_the_one: Callable[..., bool],
    left: Mapping[str, str],
) -> None:
    """A worker that dies while it uploads leaves an orphan, one link all the same, and nothing after the sweep."""
    halt = Halt()
    halt.at(monkeypatch, verb, is_the_one)
    noise = Image.frombytes("RGB", (1920, 1080), random.Random(4).randbytes(3 * 1920 * 1080))
    urls = [server.serve(f"{number}.jpg", encoded(noise, "JPEG", quality=90)) for number in range(9)]
    end = ended(aws, names, environment, tmp_path, f"animoto {' '.join(urls)}\n", halt.reached.is_set, halt.goes_on.set)
    assert "/00000.000000/2/0/video.mp4" in end.output
    assert aws.s3.head_object(Bucket=names.results_bucket, Key=end.output)["ContentLength"] > MULTIPART_ABOVE_BYTES
    assert frames(end.link, tmp_path) == 270

    quick = environment | QUICK
    shown = [json.loads(line) for line in run_cli(quick, "sweep", end.job, "--json").stdout.splitlines()]
    first = end.output.replace("/2/0/", "/1/0/").removesuffix("video.mp4")
    assert {each["key"]: each["why"] for each in shown} == {first + name: why for name, why in left.items()}
    assert (stored(aws, names), len(uploads(aws, names))) == (end.stored, end.uploads)  # it was only shown
    assert run_cli(quick, "sweep", end.job, "--yes").returncode == 0
    assert stored(aws, names) == {end.output, end.sheet}
    assert uploads(aws, names) == []
    assert frames(end.link, tmp_path) == 270
    assert "Nothing of" in run_cli(quick, "sweep", end.job, "--yes").stderr
