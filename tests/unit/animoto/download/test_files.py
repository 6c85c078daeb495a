"""Pictures in files of this machine, where those may be read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from animoto.download.urls import local_file, redacted
from animoto.order import OrderError, parse_local_order, parse_order
from tests.support.worlds.fetching import PICTURE, QUICK, broken, data, fetch


def test_files_are_read_by_path_and_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks, per cent signs and letters in names need no escape in a path, and one in a URL."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "IMG 1%20ü#?.jpg").write_bytes(PICTURE)
    (tmp_path / "b.jpg").write_bytes(b"b")
    names = [str(tmp_path / "IMG 1%20ü#?.jpg"), f"file://{tmp_path}/IMG%201%2520%C3%BC%23%3F.jpg", "b.jpg", "./b.jpg"]
    assert [data(found) for found in fetch(*names, files=True)] == [PICTURE, PICTURE, b"b", b"b"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.jpg", "it can't be read: No such file or directory"),
        ("folder", "it is a folder; name the pictures in it"),
        ("/dev/zero", "it is no file"),
        ("large.jpg", "it is larger than 1,000 bytes, the most that is fetched"),
        ("a" * 300, "it can't be read: File name too long"),
        ("file://elsewhere/a.jpg", "only http, https and s3 URLs can be fetched, not file"),
    ],
)
def test_a_file_that_can_not_be_read_is_told(name: str, reason: str, tmp_path: Path) -> None:
    """What is no file, is missing or too large is broken for good."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "large.jpg").write_bytes(bytes(1_001))
    url = name if name.startswith(("/", "file:")) else str(tmp_path / name)
    found = broken(fetch(url, limits=replace(QUICK, picture_bytes=1_000), files=True)[0])
    assert (found.reason, found.temporary) == (reason, False)


def test_files_are_not_read_unless_that_is_allowed(tmp_path: Path) -> None:
    """A worker reads no file of its machine, whatever a task says: neither the order nor the fetcher lets it."""
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    for url in (str(tmp_path / "a.jpg"), f"file://{tmp_path}/a.jpg"):
        assert "only http, https and s3" in broken(fetch(url)[0]).reason
        with pytest.raises(OrderError, match="only http, https and s3"):
            parse_order(url)
        assert parse_local_order(url, audio=None).images == (url,)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("a.jpg", "a.jpg"),
        ("/a/b.jpg", "/a/b.jpg"),
        ("file:///a/b%20c.jpg", "/a/b c.jpg"),
        ("FILE:/a/b.jpg", "/a/b.jpg"),
        ("file://localhost/a.jpg", "/a.jpg"),
        ("http://h/a.jpg", None),
        ("s3://bucket/a.jpg", None),
        ("ftp://h/a", None),
        ("data:image/png;base64,aaaa", None),
        ("//h/a.jpg", None),
        ("file://h/a.jpg", None),
        ("file:", None),
        ("a\0b", None),
        ("", None),
    ],
)
def test_paths_are_told_from_urls(url: str, file: Any) -> None:
    """What has no scheme is a path."""
    assert local_file(url) == (Path(file) if file else None)


def test_a_path_is_shown_as_it_is() -> None:
    """A path has no secrets, and its signs mean nothing."""
    assert redacted("/home/me/Is it?=#1.jpg") == "/home/me/Is it?=#1.jpg"
