"""A workload that becomes another while it is run is noticed before its new lines are handed out."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudkon.client.local.unchanged_file import UnchangedFile
from cloudkon.errors import CloudKonError

BIG = b"sleep 0\n" * 100_000  # some chunks


def edit_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(600_000)
        file.write(b"sleep 9\n")


def edit_and_hide_it(path: Path) -> None:
    before = path.stat()
    edit_in_place(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(BIG.replace(b"0", b"1"))
    other.replace(path)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"sleep 9\n")


CHANGES: list[Callable[[Path], object]] = [
    edit_in_place,
    edit_and_hide_it,
    replace,
    append,
    lambda path: os.truncate(path, 400_000),
    lambda path: os.truncate(path, 0),
    Path.unlink,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.txt"
    path.write_bytes(BIG)
    return path


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_within_a_read(path: Path, change: Callable[[Path], object]) -> None:
    """What has been read when it happens is the old content, and no new byte comes after it."""
    chunks = UnchangedFile(path).read(str(path))
    got = next(chunks)
    change(path)
    with pytest.raises(CloudKonError, match=r"tasks\.txt has changed while it was run"):
        got += b"".join(chunks)
    assert BIG.startswith(got)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_between_two_ranges(path: Path, change: Callable[[Path], object]) -> None:
    """The next range does not begin with other lines, and the size is not asked of another file."""
    file = UnchangedFile(path)
    change(path)
    with pytest.raises(CloudKonError, match="has changed while it was run"):
        next(file.read(str(path), start=100_000))
    with pytest.raises(CloudKonError, match="has changed while it was run"):
        file.size_bytes(str(path))


def test_the_same_content_is_no_change(path: Path) -> None:
    """A file that is touched, copied back, or written anew with the same bytes goes on."""
    file = UnchangedFile(path)
    chunks = file.read(str(path))
    got = next(chunks)
    os.utime(path)
    got += next(chunks)
    path.with_name("copy").write_bytes(BIG)
    path.with_name("copy").replace(path)
    assert got + b"".join(chunks) == BIG
    assert file.size_bytes(str(path)) == len(BIG)
