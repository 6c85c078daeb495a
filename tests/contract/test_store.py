"""What every ObjectStore answers."""

from pathlib import Path
from urllib.request import urlopen

import pytest

from cloudkon.errors import NotFoundError
from cloudkon.ports import ObjectStore


def test_what_is_written_is_read(store: ObjectStore) -> None:
    """An object is read as it was written, whatever its bytes."""
    data = bytes(range(256)) * 10
    store.write("in/tasks.bin", data)
    assert _read(store, "in/tasks.bin") == data


def test_a_file_is_uploaded(store: ObjectStore, tmp_path: Path) -> None:
    """A file of any size becomes an object of its bytes, in the place of what was there, and stays where it is."""
    file = tmp_path / "made.mp4"
    for data in (b"", bytes(range(256)) * 5_000):
        file.write_bytes(data)
        store.upload("out/made.mp4", file)
        assert _read(store, "out/made.mp4") == data
        assert file.read_bytes() == data


def test_a_link_says_where_an_object_is(store: ObjectStore) -> None:
    """A link ends with the key; one that is to open for a while has the object behind it."""
    store.write("out/made.mp4", b"frames")
    assert store.link("out/made.mp4").endswith("/out/made.mp4")
    place = store.link("out/made.mp4", 3600)
    with urlopen(place if place.startswith("http") else Path(place).as_uri(), timeout=10) as opened:
        assert opened.read() == b"frames"


@pytest.mark.parametrize("key", ["plain", "a/b/c.txt", "with space+plus.txt", "größe/aufgaben-🚀.txt", "a&b=c%20d"])
def test_keys_are_taken_as_they_are(store: ObjectStore, key: str) -> None:
    """A key may hold slashes, spaces, signs and letters of any alphabet."""
    store.write(key, b"sleep 1\n")
    assert (store.size_bytes(key), _read(store, key)) == (8, b"sleep 1\n")


def test_a_later_write_replaces_the_object(store: ObjectStore) -> None:
    """The last write stands, and nothing is seen of the content before."""
    store.write("tasks.txt", b"sleep 1\n")
    store.write("tasks.txt", b"sleep 1000\n")
    assert _read(store, "tasks.txt") == b"sleep 1000\n"
    assert store.size_bytes("tasks.txt") == 11


def test_a_read_may_begin_anywhere(store: ObjectStore) -> None:
    """A read gives the bytes from its offset on."""
    store.write("tasks.txt", b"0123456789")
    assert _read(store, "tasks.txt", 0) == b"0123456789"
    assert _read(store, "tasks.txt", 7) == b"789"


@pytest.mark.parametrize("start", [10, 11, 1_000])
def test_there_is_nothing_after_the_end(store: ObjectStore, start: int) -> None:
    """A read that begins at the end, or after it, gives nothing."""
    store.write("tasks.txt", b"0123456789")
    assert _read(store, "tasks.txt", start) == b""


def test_an_empty_object_has_no_bytes(store: ObjectStore) -> None:
    """An empty object exists, and reading it gives nothing."""
    store.write("empty.txt", b"")
    assert (store.size_bytes("empty.txt"), _read(store, "empty.txt")) == (0, b"")


def test_a_large_object_comes_in_chunks(store: ObjectStore) -> None:
    """No chunk of a large object is larger than a mebibyte."""
    data = bytes(range(251)) * 20_000
    store.write("large.bin", data)
    chunks = list(store.read("large.bin", start=1))
    assert b"".join(chunks) == data[1:]
    assert max(map(len, chunks)) <= 1024 * 1024


def test_a_missing_object_is_not_found(store: ObjectStore) -> None:
    """Asking for, or reading, what does not exist raises NotFoundError."""
    store.write("there/tasks.txt", b"sleep 1\n")
    for key in ("missing.txt", "there/missing.txt", "missing/tasks.txt"):
        with pytest.raises(NotFoundError):
            store.size_bytes(key)
        with pytest.raises(NotFoundError):
            _read(store, key)


def _read(store: ObjectStore, key: str, start: int = 0) -> bytes:
    return b"".join(store.read(key, start=start))
