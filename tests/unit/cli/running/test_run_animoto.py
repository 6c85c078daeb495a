"""`run LOCAL animoto`: a folder of pictures becomes a video in one command."""

import json
import shlex
import signal
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cli.running.local_runner import LocalRun
from cloudkon.ledger.job import Job
from tests.support.data.pixels import BLUE, GREEN, RED, encoded, near, shown, stripes
from tests.support.data.tones import wav


@pytest.fixture
def holiday(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three pictures, in a home of the test's own."""
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name, colour in {"IMG 1.jpg": RED, "IMG 2.png": GREEN, "IMG 10.jpg": BLUE}.items():
        (folder / name).write_bytes(encoded(stripes(96, 54, colour), "PNG" if "png" in name else "JPEG"))
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["run", "LOCAL", "animoto", *words])


def test_a_folder_becomes_a_video(holiday: Path) -> None:
    """Its pictures are shown in the order of their names; standard error tells of the video."""
    answer = run("holiday/", "-o", "all.mp4", "--transition", "cut")
    assert answer.exit_code == 0, answer.output
    assert "all.mp4: 3 pictures, " in answer.stderr
    assert answer.stdout.startswith("✓ 1 task in ")
    with av.open("all.mp4") as container:
        frames = [shown(frame, 960, 540) for frame in container.decode(video=0)]
    assert [near(frames[at], colour, 4) for at, colour in ((15, RED), (45, GREEN), (75, BLUE))] == [True] * 3
    assert len(frames) == 90


def test_options_and_sound_are_those_of_the_task(holiday: Path) -> None:
    """The task says what was asked for; the video's name is the folder's, unless another is given."""
    Path("song.wav").write_bytes(wav(seconds=0.5))
    words = [
        "--seconds",
        "0.4",
        "--fade-seconds",
        "0.2",
        "--title",
        "Ü",
        "--audio",
        "song.wav",
        "--background",
        "black",
    ]
    answer = run("holiday", *words, "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["tasks"]["succeeded"] == 1
    with av.open("holiday.mp4") as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert (container.duration or 0) / av.time_base == pytest.approx(1.2, abs=0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none/"], "none does not exist."),
        (["holiday", "-o", "nowhere/a.mp4"], "can't be written"),
        (["holiday", "-o", "there.mp4"], "there.mp4 exists. Name another file, or write over it with --force."),
        (["holiday", "-o", "holiday/IMG 1.jpg", "--force"], "is not a video to be written over"),
        (["holiday", "--seconds", "0"], 'No such video can be made: "seconds" is 0'),
        (["holiday", "--seconds", "0.2"], "a fade of 0.5 s is not shorter"),
        (["holiday", "holiday", *["holiday"] * 1_500], "4,506 pictures are too many for one video."),
    ],
)
def test_what_can_not_be_made_is_refused_before_anything_is(holiday: Path, words: list[str], said: str) -> None:
    """Nothing of a person's is written over by accident, and no job begins."""
    Path("there.mp4").write_bytes(b"mine")
    before = (holiday / "IMG 1.jpg").read_bytes()
    answer = run(*words)
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert Path("there.mp4").read_bytes() == b"mine"
    assert (holiday / "IMG 1.jpg").read_bytes() == before
    assert not Path("home").exists()


def test_a_broken_picture_fails_unless_it_is_skipped(holiday: Path) -> None:
    """The reason names the file; a video that was there stays as it was."""
    (holiday / "IMG 3.jpg").write_bytes(b"not a picture")
    Path("holiday.mp4").write_bytes(b"mine")
    answer = run("holiday", "--force")
    assert answer.exit_code == 1
    assert "IMG 3.jpg" in answer.stderr
    assert "it is text" in answer.stderr
    assert Path("holiday.mp4").read_bytes() == b"mine"
    assert run("holiday", "--force", "--broken", "skip").exit_code == 0
    assert Path("holiday.mp4").stat().st_size > 1_000


def test_help_is_of_its_own() -> None:
    """`run LOCAL animoto --help` tells of videos, and `run --help` shows the way there."""
    assert "--order" in run("--help").stdout
    assert "run LOCAL animoto holiday/" in CliRunner().invoke(cloudkon_cli, ["run", "--help"]).stdout


def test_a_video_that_was_interrupted_is_begun_anew(holiday: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the command that is told makes the video, and puts it where it was asked for."""
    run_it = LocalRun.run

    def interrupted(self: LocalRun, job: Job, begun: Callable[[], None]) -> None:
        self.stop()
        signal.raise_signal(signal.SIGINT)
        run_it(self, job, begun)

    with monkeypatch.context() as patched:
        patched.setattr(LocalRun, "run", interrupted)
        answer = run("holiday/", "-o", "my video.mp4", "--transition", "cut")
    assert answer.exit_code == 128 + signal.SIGINT
    command = answer.stderr.splitlines()[-1].split("cloudkon-cli ")[1]
    assert command == "run LOCAL animoto holiday/ -o 'my video.mp4' --transition cut"
    assert CliRunner().invoke(cloudkon_cli, shlex.split(command)).exit_code == 0
    assert Path("my video.mp4").stat().st_size > 0
