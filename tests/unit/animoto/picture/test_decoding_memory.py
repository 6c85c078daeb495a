"""The memory that decoding may take: bounds by side and by area, a measured peak, and one budget for all threads."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from PIL import Image

from animoto.canvas import Canvas
from animoto.fetch import Fetched
from animoto.picture.broken import Broken
from animoto.picture.decoding_memory import DecodingMemory
from animoto.pictures import MAX_SIDE, PictureError, frame_of, read_picture
from bench.animoto.memory import KINDS, draw, peak_mb
from tests.support.data.picture_parts import png_chunk
from tests.support.data.pixels import encoded

_SIDE = 2_400
_NOT_PIXELS_MB = 35
"""What decoders load, and the frame of the video."""


def _png(width: int, height: int) -> bytes:
    """A grey picture of small size, whatever its sides."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    packer, row = zlib.compressobj(1), bytes(width + 1)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size", [(1, 64_000_000), (1, 20_000_000), (4_000_000, 16), (MAX_SIDE + 1, 1), (1, MAX_SIDE + 1)]
)
def test_a_side_that_is_too_long_breaks_the_picture_for_good(size: tuple[int, int]) -> None:
    """However few pixels it has in all, a very thin picture is refused by its header, and is not tried again."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 1, 0, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", zlib.compress(bytes(9))) + png_chunk(b"IEND", b"")
    found = read_picture(Fetched(0, "http://h/a.png", data, 0.1), Canvas(), DecodingMemory())
    assert isinstance(found, Broken)
    assert found.reason == f"it has {size[0]}x{size[1]} pixels; at most 65,500 are decoded across and down"
    assert not found.temporary


@pytest.mark.parametrize("size", [(1, MAX_SIDE), (MAX_SIDE, 1), (MAX_SIDE, 20), (3, 9_000)])
@pytest.mark.parametrize("canvas", [Canvas(), Canvas(320, 180), Canvas(16, 16)])
def test_thin_pictures_within_the_bounds_make_a_frame_or_are_broken(size: tuple[int, int], canvas: Canvas) -> None:
    """Whatever the scaler can't do is a broken picture; at the size of our videos it can do all of them."""
    try:
        frame = frame_of(_png(*size), canvas)
    except PictureError:
        assert canvas.width < 1920
    else:
        assert (frame.width, frame.height) == (canvas.width, canvas.height)


@pytest.mark.parametrize(
    ("kind", "most_bytes"), [("JPEG", 3), ("JPEG, CMYK", 8), ("PNG, transparent", 8), ("AVIF", 10.5)]
)
def test_the_peak_is_what_the_docs_say(kind: str, most_bytes: float, tmp_path: Path) -> None:
    """Decoding a picture takes so many bytes for each of its pixels, and no more."""
    KINDS[kind](draw(_SIDE), tmp_path / "picture")
    assert peak_mb(tmp_path / "picture") < most_bytes * _SIDE * _SIDE / 1e6 + _NOT_PIXELS_MB


def _started(work: Callable[[], None]) -> Thread:
    thread = Thread(target=work)
    thread.start()
    return thread


def test_a_picture_waits_until_others_are_decoded() -> None:
    """Threads share one budget; who would exceed it begins when the others have ended."""
    memory, inside, go_on = DecodingMemory(100), Event(), Event()

    def hold() -> None:
        with memory.reserve(60):
            inside.set()
            assert go_on.wait(10)

    first = _started(hold)
    assert inside.wait(10)
    done = Event()

    def follow() -> None:
        with memory.reserve(60):
            assert go_on.is_set()
        done.set()

    second = _started(follow)
    with memory.reserve(40):  # fits beside the first
        assert not done.is_set()
    go_on.set()
    first.join(10)
    second.join(10)
    assert done.is_set()


def test_a_picture_above_the_budget_is_decoded_alone() -> None:
    """What is larger than the whole budget does not wait for ever; and an error gives the bytes back."""
    memory = DecodingMemory(1)
    data = encoded(Image.new("RGB", (64, 36), "red"))
    frame_of(data, Canvas(64, 36), memory=memory)
    with pytest.raises(PictureError):
        frame_of(data[:-30], Canvas(64, 36), memory=memory)
    frame_of(data, Canvas(64, 36), memory=memory)
