"""What the machine refuses is told in a sentence; what is a mistake of ours is not explained away."""

import errno
import os
from pathlib import Path

import pytest

from cli.system.failures import explained


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "/x/y: No space left on device. Make room there"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files. Allow more open files (ulimit -n)"),
        (
            PermissionError(errno.EACCES, "Permission denied", b"/\xff"),
            "/\ufffd: Permission denied. Whose is it, and may you",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "/x: Read-only file system. Name a place"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"), "/x: No such file or directory."),
        (OSError("odd"), "odd."),
        (TimeoutError(), "TimeoutError."),
        (MemoryError(), "There is no memory left."),
        (RuntimeError("can't start new thread"), "No more threads can be started here. Use fewer (-t)"),
    ],
)
def test_what_the_machine_refuses_is_a_sentence(error: Exception, told: str) -> None:
    """Each says where and what, and what to do where that is known."""
    assert (explained(error) or "").startswith(told)


def test_a_name_that_is_no_utf_8() -> None:
    """The characters that can't be written are shown."""
    with pytest.raises(UnicodeEncodeError) as caught:
        "caf\udce9".encode()
    assert "'\\udce9' can't be written as utf-8" in (explained(caught.value) or "")


def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stands in a folder that was deleted is told so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        os.getcwd()  # noqa: PTH109 (it raises what every relative path does)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert explained(caught.value) == "No such file or directory."
    monkeypatch.setattr(os, "getcwd", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    assert "The current folder does not exist any more" in (explained(caught.value) or "")


@pytest.mark.parametrize("error", [RuntimeError("odd"), KeyError("x"), ValueError("x"), RecursionError()])
def test_mistakes_of_ours(error: Exception) -> None:
    """They are raised as they are, with their traceback."""
    assert explained(error) is None
