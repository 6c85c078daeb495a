"""The demo of videos, all of it but the embedded cloud that it would bring up for itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest
from click.testing import CliRunner

from cli.embedded import demo_animoto
from cli.main import cloudkon_cli
from tests.support.worlds.embedded_aws import EmbeddedAws


def test_it_leaves_videos_to_look_at(
    embedded_cloud: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Three whole videos and their contact sheets are left in the folder, and the statistics and links on stdout."""
    environment = {**embedded_cloud.environment, "PYTHONPATH": os.getcwd()}  # noqa: PTH109 (joined as text)

    @contextmanager
    def lent(*_: object) -> Iterator[dict[str, str]]:
        yield environment

    monkeypatch.setattr(demo_animoto, "own_cloud", lent)
    folder = tmp_path / "videos"
    CliRunner().invoke(cloudkon_cli, ["demo-animoto", "--folder", str(folder)], catch_exceptions=False)
    said = capfd.readouterr().out  # of the commands that it runs
    assert "3 succeeded, 0 failed" in said
    assert said.count("s3://") == 4, said  # the workload, and the videos
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{line}-{name}" for line in (1, 2, 3) for name in ("sheet.jpg", "video.mp4")
    ]
    assert [frames(folder / f"{line}-video.mp4") for line in (1, 2, 3)] == [360, 360, 720]


def frames(video: Path) -> int:
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))
