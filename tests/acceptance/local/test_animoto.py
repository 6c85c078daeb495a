"""Videos end to end, on this machine: `run LOCAL` over pictures from loopback, and what is left of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.data.pixels import BLUE, GREEN, RED, WHITE, encoded, near, shown, stripes
from tests.support.servers.picture_server import PictureServer, picture_server
from tests.support.worlds.embedded_aws import run_cli

COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}


@pytest.fixture(scope="module")
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        for name, colour in COLOURS.items():
            served.serve(f"{name}.jpg", encoded(stripes(1920, 1080, colour), "JPEG", quality=90))
        served.serve("cut.jpg", encoded(stripes(1920, 1080, RED, GREEN), "JPEG")[:9_000])
        yield served


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No AWS, a home of the test's own, and pictures from this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_"))}
    own = {"CLOUDKON_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "CLOUDKON_ANIMOTO_ALLOW": "127.0.0.0/8"}
    return kept | own


def run(environment: dict[str, str], folder: Path, *lines: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a workload of these lines; return the exit code and the results."""
    workload = folder / "videos.txt"
    workload.write_text("".join(f"{line}\n" for line in lines))
    code = run_cli(environment, "run", "LOCAL", "-s", str(workload), "-t", "2", "--json").returncode
    listed = run_cli(environment, "results", "--json")
    assert listed.returncode == 0, listed.stderr
    return code, [json.loads(line) for line in listed.stdout.splitlines()]


def seen(video: Path) -> list[str]:
    """The colour of every frame."""
    with av.open(str(video)) as container:
        return [_name(shown(frame, 960, 540)) for frame in container.decode(video=0)]


def _name(colour: tuple[int, int, int]) -> str:
    return next((name for name, meant in COLOURS.items() if near(colour, meant, 4)), "between")


def test_videos_are_made(environment: dict[str, str], tmp_path: Path, server: PictureServer) -> None:
    """Each task leaves a video of its own pictures, in their order and with all frames, that its result names."""
    red, green, blue, white = (server.url(f"{name}.jpg") for name in COLOURS)
    faded = {"task": "animoto", "id": "faded", "images": [blue, red], "transition": "fade", "seconds": 0.8}
    code, results = run(
        environment, tmp_path, f"animoto {red} {green} {blue}", f"animoto {white} {red}", json.dumps(faded)
    )
    assert (code, [result["state"] for result in results]) == (0, ["succeeded"] * 3)
    videos = [tmp_path / "home" / "ledger.results" / result["output"] for result in results]
    assert len({video.read_bytes() for video in videos}) == 3
    assert seen(videos[0]) == ["red"] * 30 + ["green"] * 30 + ["blue"] * 30
    assert seen(videos[1]) == ["white"] * 30 + ["red"] * 30
    frames = seen(videos[2])
    assert (len(frames), frames[0], frames[-1]) == (48, "blue", "red")
    assert "between" in frames[9:24]
    assert results[2]["id"] == "faded"
    for result in results:
        assert (tmp_path / "home" / "ledger.results" / result["value"]["sheet"]).read_bytes().startswith(b"\xff\xd8")
        assert result["handler_stages_ms"].keys() == {"download", "decode", "encode", "upload"}


def test_a_bad_picture_fails_its_video_alone(
    environment: dict[str, str], tmp_path: Path, server: PictureServer
) -> None:
    """What is cut off or missing is named with its reason, is not tried again, and leaves no output."""
    red, cut, gone = server.url("red.jpg"), server.url("cut.jpg"), server.url("gone.jpg")
    code, results = run(environment, tmp_path, f"animoto {red} {cut}", f"animoto {gone}", f"animoto {red}")
    assert (code, [result["state"] for result in results]) == (1, ["failed", "failed", "succeeded"])
    assert [result["runs"] for result in results] == [1, 1, 1]
    assert results[0]["error"] == f"picture 2, {cut}: it is damaged, or cut off before its end"
    assert results[1]["error"].startswith(f"picture 1, {gone}: ")
    assert "404" in results[1]["error"]
    stored = sorted(
        path.name for path in (tmp_path / "home" / "ledger.results" / "outputs").rglob("*.*") if path.is_file()
    )
    assert stored == ["sheet.jpg", "video.mp4"]
