import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from cloudkon.handlers.scratch import PREFIX, scratch, sweep

_HOLDER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from cloudkon.handlers.scratch import scratch
with scratch() as folder:
    (folder / "half").write_bytes(b"half a video")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_block(temporary: Path) -> None:
    """What is left in a folder goes with it, after an error too; two of them are two."""

    def use() -> None:
        with scratch() as one, scratch() as other:
            assert one != other
            (one / "made").mkdir()
            (one / "made/video.mp4").write_bytes(b"frames")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        use()
    assert list(temporary.iterdir()) == []


def test_only_what_the_dead_left_is_swept(temporary: Path) -> None:
    """A folder is swept once its process was killed, and not while it lives, in this process or in another."""
    command = [sys.executable, "-c", _HOLDER, str(temporary)]
    with (
        scratch() as own,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder,
    ):
        assert holder.stdout is not None
        theirs = Path(holder.stdout.readline().strip())
        assert sweep() == 0
        assert (theirs / "half").exists()
        holder.kill()
        holder.wait()
        assert theirs.exists()
        assert sweep() == 1
        assert [own] == list(temporary.iterdir())


def test_what_is_not_ours_stays(temporary: Path) -> None:
    """Files, links and folders of other names are not touched, nor what a link leads to."""
    (temporary / "precious").mkdir()
    (temporary / "precious/letter").write_text("dear")
    (temporary / f"{PREFIX}link").symlink_to(temporary / "precious")
    (temporary / f"{PREFIX}file").write_text("mine")
    assert sweep() == 0
    assert (temporary / "precious/letter").read_text() == "dear"
    assert len(list(temporary.iterdir())) == 3


@pytest.mark.parametrize(("place", "name"), [(tempfile, "mkdtemp"), (os, "open")])
def test_a_folder_that_was_swept_at_its_birth_is_made_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, place: object, name: str
) -> None:
    """Until its lock is there, a sweep may take a folder for a dead one's: whoever made it makes another."""
    real = getattr(place, name)
    swept: list[object] = []

    def and_swept(*arguments: Any, **named: Any) -> Any:
        answer = real(*arguments, **named)
        if not swept:
            swept.append(answer)
            assert sweep() == 1
        return answer

    monkeypatch.setattr(place, name, and_swept)
    with scratch() as folder:
        assert folder.is_dir()
        assert sweep() == 0
    assert list(temporary.iterdir()) == []
