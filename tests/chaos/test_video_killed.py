"""A worker process is killed in the middle of a video; pictures come over HTTP and from S3, which moto plays."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.request import urlopen

import pytest

from cloudkon.clock import SystemClock
from cloudkon.names import Names
from tests.support.embedded_aws import run_cli
from tests.support.moto_aws import AwsLab
from tests.support.picture_server import PictureServer, hang, picture_server, whole
from tests.support.pixels import BLUE, GREEN, RED, encoded, stripes
from tests.support.stills import decoded
from tests.support.waiting import eventually
from tests.support.workers import worker

NAMES = Names("videos", "123456789012", "eu-central-1")


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        yield served


@pytest.fixture
def environment(aws: AwsLab, tmp_path: Path) -> Mapping[str, str]:
    """A stage of its own, and the environment in which it is found."""
    for queue in (NAMES.task_queue, NAMES.process_queue, NAMES.dead_letter_queue):
        aws.queue(SystemClock(), queue)
    aws.ledger(SystemClock(), name=NAMES.ledger_table)
    aws.store(SystemClock(), name=NAMES.results_bucket)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_"))}
    home = {"CLOUDKON_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}  # what is killed leaves its temporary files
    own = {"CLOUDKON_STAGE": NAMES.stage, "CLOUDKON_ANIMOTO_ALLOW": "127.0.0.0/8"}
    return kept | aws.environment | home | own


def test_another_worker_makes_the_video(
    aws: AwsLab, environment: Mapping[str, str], server: PictureServer, tmp_path: Path
) -> None:
    """The second worker's video is whole, the one that is recorded, and its link opens; no upload is left half done."""
    pictures = aws.store(SystemClock(), name="my-pictures")
    pictures.write("a/green.png", encoded(stripes(640, 360, GREEN)))
    red = server.serve("red.png", encoded(stripes(640, 360, RED)))
    blue = server.serve("blue.png", hang, whole(encoded(stripes(640, 360, BLUE))))
    workload = tmp_path / "videos.txt"
    workload.write_text(f"animoto {red} s3://my-pictures/a/green.png {blue}\n")
    command = [sys.executable, "-m", "cli.main", "run", NAMES.task_queue, "-s", str(workload), "-t", "1", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        try:
            with worker(environment, tmp_path, "--threads", "1") as victim:
                eventually(lambda: "/blue.png" in server.asked or victim.process.poll() is not None)
                victim.kill()
            with worker(environment, tmp_path, "--threads", "1"):
                out, said = run.communicate()
        finally:
            run.kill()
    assert run.returncode == 0, said
    assert json.loads(out)["tasks"]["succeeded"] == 1
    [line] = run_cli(environment, "results", "--presign", "1h", "--json").stdout.splitlines()
    result = json.loads(line)
    assert "/00000.000000/2/0/video.mp4" in result["output"]
    made = tmp_path / "made.mp4"
    with urlopen(result["link"], timeout=10) as opened:
        made.write_bytes(opened.read())
    assert sum(1 for _ in decoded(made)) == 90
    listed = aws.s3.list_objects_v2(Bucket=NAMES.results_bucket, Prefix="outputs/")["Contents"]
    assert sorted(each["Key"] for each in listed) == sorted([result["output"], result["value"]["sheet"]])
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=NAMES.results_bucket)
