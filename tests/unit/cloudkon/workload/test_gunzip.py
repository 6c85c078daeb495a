"""gzip is read as gunzip reads it."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import InputError
from cloudkon.workload.lines import gunzip

ONE, TWO = gzip.compress(b"sleep 1\n", mtime=0), gzip.compress(b"sleep 2\n", mtime=0)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def unpacked(data: bytes, size: int = 1 << 18) -> tuple[bytes, int]:
    """What comes of it, and how often something was ignored."""
    times: list[None] = []
    return b"".join(gunzip(cut(data, size), lambda: times.append(None))), len(times)


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 18])
@pytest.mark.parametrize(
    ("data", "text", "ignored"),
    [
        (ONE + TWO, b"sleep 1\nsleep 2\n", 0),
        (ONE + bytes(512), b"sleep 1\n", 0),
        (ONE + bytes(512) + TWO, b"sleep 1\nsleep 2\n", 0),
        (ONE + b"garbage", b"sleep 1\n", 1),
        (ONE + bytes(7) + b"garbage" + TWO, b"sleep 1\n", 1),
        (ONE + b"\x1f", b"sleep 1\n", 1),
        (ONE + b"\x1f\0\0", b"sleep 1\n", 1),
        (gzip.compress(b"", mtime=0) + ONE, b"sleep 1\n", 0),
    ],
    ids=[
        "member",
        "zeros",
        "zeros and member",
        "garbage",
        "zeros and garbage",
        "half a magic number",
        "half and zeros",
        "empty",
    ],
)
def test_what_follows_the_end(data: bytes, text: bytes, ignored: int, size: int) -> None:
    """Members follow each other, zeros mean nothing, and anything else is ignored and told, however it is cut."""
    assert unpacked(data, size) == (text, ignored)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ONE[:-3], "ends early"),
        (ONE + TWO[:-1], "ends early"),
        (ONE + TWO[:3], "ends early"),
        (ONE[:-8] + bytes(4) + ONE[-4:], "can't be decompressed: .*incorrect data check"),
        (ONE[:-4] + b"\1\1\1\1", "can't be decompressed: .*incorrect length check"),
        (ONE + b"\x1f\x8bgarbage", "can't be decompressed"),
    ],
    ids=["end", "second end", "second head", "check", "length", "second magic number"],
)
def test_what_is_broken(data: bytes, reason: str) -> None:
    """A member that is cut off, or whose check does not agree, is an error."""
    with pytest.raises(InputError, match=reason):
        unpacked(data)


@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(0, 9)), min_size=1, max_size=5), st.integers(1, 60))
def test_every_cut_gives_the_same(parts: list[tuple[bytes, int]], size: int) -> None:
    """Members with zeros between them are the text of all of them, in chunks of any size."""
    data = b"".join(gzip.compress(text, mtime=0) + bytes(zeros) for text, zeros in parts)
    assert unpacked(data, size) == (b"".join(text for text, _ in parts), 0)


def test_a_bomb_comes_in_pieces() -> None:
    """However well it was compressed, no piece is larger than a chunk."""
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(20)), packer.flush()])
    assert max(map(len, gunzip([data]))) <= 256 * 1024
