"""The handler of animoto, over pictures on loopback: what it leaves, and what it says where it can't."""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from animoto.task import handler
from cloudkon.errors import InputError, TaskFailedError
from cloudkon.handlers.context import Context, enter, leave
from cloudkon.handlers.deadline import TimedOutError, deadline
from cloudkon.handlers.registry import Permanent, UnknownTaskError
from cloudkon.ledger.bundle import BundleKey
from cloudkon.local.store import FolderStore
from cloudkon.workload.task_line import parse_task
from ec2_worker.handlers import PictureSources, handlers
from tests.support.data.pixels import BLUE, GREEN, RED, colour, encoded, near, stripes
from tests.support.data.stills import decoded
from tests.support.servers.picture_server import PictureServer, hang, picture_server, status

Make = Callable[..., dict[str, Any]]
WIDTH, HEIGHT = 64, 48


@pytest.fixture(scope="module")
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        for name, each in {"red": RED, "green": GREEN, "blue": BLUE}.items():
            served.serve(f"{name}.png", encoded(stripes(WIDTH, HEIGHT, each)))
        served.serve("page.jpg", b"<html>nothing here</html>")
        yield served


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Context]:
    token = enter(made := Context(BundleKey("job", 0, 0), 1, 0, FolderStore(tmp_path / "results")))
    yield made
    leave(token)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def make(here: Context, scratch: Path) -> Make:
    made: Make = handler("127.0.0.0/8", width=WIDTH, height=HEIGHT)
    return made


def test_a_video_and_its_sheet_are_stored(
    make: Make, here: Context, server: PictureServer, tmp_path: Path, scratch: Path
) -> None:
    """The first output is the video, whole; the second its pictures, small and in order; no temporary file is left."""
    told = make(*(server.url(f"{name}.png") for name in ("red", "green", "blue")))
    video, sheet = here.outputs
    assert video == "outputs/job/00000.000000/1/0/video.mp4"
    assert sum(1 for _ in decoded(tmp_path / "results" / video)) == told["frames"] == 90
    assert (told["pictures"], told["seconds"], told["engine"], told["sheet"]) == (3, 3.0, "synth", sheet)
    assert told["bytes"] == (tmp_path / "results" / video).stat().st_size
    assert set(here.stages_ms) == {"download", "decode", "encode", "upload"}
    small = Image.open(io.BytesIO((tmp_path / "results" / sheet).read_bytes()))
    assert small.size == (960, 240)
    for number, meant in enumerate((RED, GREEN, BLUE)):
        assert near(colour(small, 320 * number + 160, 120), meant, 6)
    assert list(scratch.iterdir()) == []
    assert len(json.dumps(told)) < 1024


def test_the_same_task_makes_the_same_bytes(make: Make, server: PictureServer, tmp_path: Path) -> None:
    """Another attempt, from the same pictures, stores the same video."""
    files = []
    for attempt in (1, 2):
        token = enter(again := Context(BundleKey("job", 0, 0), attempt, 0, FolderStore(tmp_path)))
        make(images=[server.url("red.png"), server.url("blue.png")], transition="fade")
        leave(token)
        files.append((tmp_path / again.outputs[0]).read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(("path", "reason"), [("page.jpg", "it is a web page"), ("missing.jpg", "404")])
def test_a_broken_picture_fails_for_good(
    make: Make, here: Context, server: PictureServer, scratch: Path, path: str, reason: str
) -> None:
    """The error names URL and reason, nothing is stored, no temporary file is left."""
    with pytest.raises(Permanent) as failure:
        make(server.url("red.png"), server.url(path))
    assert str(failure.value).startswith(f"picture 2, {server.url(path)}: ")
    assert reason in str(failure.value)
    assert (here.outputs, list(scratch.iterdir())) == ((), [])


def test_broken_pictures_may_be_skipped(make: Make, server: PictureServer) -> None:
    """The video is made of the others, and the task tells how many are missing, and why."""
    told = make(images=[server.url("page.jpg"), server.url("red.png")], broken="skip")
    assert (told["pictures"], told["frames"], told["skipped"]) == (1, 30, 1)
    assert told["skipped_first"][0].startswith(f"picture 1, {server.url('page.jpg')}: ")
    with pytest.raises(Permanent, match="none of the 1 pictures can be used"):
        make(images=[server.url("page.jpg")], broken="skip")


def test_what_cannot_be_ordered_fails_for_good(make: Make, server: PictureServer) -> None:
    """An order that makes no sense, or that no engine fills, is not tried again."""
    with pytest.raises(Permanent, match="no pictures"):
        make()
    with pytest.raises(Permanent, match="engine=synth can't make pictures that pan and zoom"):
        make(images=[server.url("red.png")], pan_zoom=True, engine="synth")


def test_sound_that_is_none_is_named_by_its_url(make: Make, here: Context, server: PictureServer) -> None:
    """The error of a track that can't be read, or fetched, names where it is, not our copy."""
    page = server.url("page.jpg")
    with pytest.raises(Permanent) as failure:
        make(images=[server.url("red.png")], audio=page)
    assert f"The sound of {page} can't be read" in str(failure.value)
    with pytest.raises(Permanent, match=f"audio, {server.url('no.mp3')}: .*404"):
        make(images=[server.url("red.png")], audio=server.url("no.mp3"))
    assert here.outputs == ()


def test_a_task_ends_in_its_time(make: Make, here: Context, server: PictureServer, scratch: Path) -> None:
    """A picture that does not come before the task's timeout times the task out, and is not skipped as broken."""
    server.serve("hang.png", hang)
    with deadline(0.3), pytest.raises(TimedOutError):
        make(images=[server.url("red.png"), server.url("hang.png")], broken="skip")
    assert (here.outputs, list(scratch.iterdir())) == ((), [])


def test_a_server_in_trouble_is_asked_again_later(
    make: Make, server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server is the trouble, the task fails as one that may be tried again."""
    monkeypatch.setattr("cloudkon.backoff.Backoff.delay_s", lambda *_: 0.0)
    server.serve("down.png", status("503 Service Unavailable"))
    with pytest.raises(TaskFailedError, match="503") as failure:
        make(server.url("down.png"))
    assert not isinstance(failure.value, Permanent)


def test_only_public_addresses_unless_allowed(here: Context, server: PictureServer) -> None:
    """Without the setting, loopback is refused; a setting that is no network is refused at the start."""
    with pytest.raises(Permanent, match="loopback"):
        handler()(server.url("red.png"))
    with pytest.raises(InputError, match="Write allowed networks like this"):
        handlers([], [], PictureSources("nowhere"))


def test_without_its_packages_videos_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that lacks what videos need says what to install; the rest of it works."""
    monkeypatch.setattr("ec2_worker.handlers.find_spec", lambda name: None if name in {"av", "PIL"} else object())
    registry = handlers([], [])
    assert registry.names == ("sleep",)
    with pytest.raises(UnknownTaskError, match=r"no av, PIL, which videos need: pip install cloudkon\[animoto\]"):
        registry.run(parse_task("animoto https://h/1.jpg"))


def test_a_worker_without_videos_does_not_pay_for_them() -> None:
    """The decoders are loaded with the first video, not with the worker."""
    code = (
        "import sys; from ec2_worker.handlers import handlers; "
        "print(handlers([], []).names, sorted({'aiohttp', 'av', 'PIL'} & sys.modules.keys()))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "('animoto', 'sleep') []\n"
