"""What is wrong beside the pixels does no harm: pictures that browsers and ffmpeg show."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from av import VideoFrame
from PIL import Image

from animoto.canvas import Canvas
from animoto.picture.letterbox import Background
from animoto.pictures import PictureError, frame_of
from tests.support.data.odd_pictures import (
    COLOURS,
    FULL,
    JPEG,
    JPEGS,
    LOSSY_WEBP,
    OTHERS,
    PNG,
    PNGS,
    PROGRESSIVE,
    RUBBISH,
    WEBP,
    WEBPS,
)
from tests.support.data.picture_parts import (
    SRGB,
    exif,
    icc_segments,
    jpeg_segment,
    jpeg_with,
    png_chunk,
    png_with,
    riff_chunk,
    webp_with,
)
from tests.support.data.pixels import BLACK, BLUE, GREEN, GREY, RED, SKIN, Rgb, encoded, near, shown, stripes

ON_BLACK = Canvas(320, 180, Background.BLACK)


def _colours(frame: VideoFrame) -> list[Rgb]:
    step = frame.width // len(COLOURS)
    return [shown(frame, number * step + step // 2, frame.height // 2) for number in range(len(COLOURS))]


def _check(data: bytes, levels: int = 4) -> None:
    seen = _colours(frame_of(data, ON_BLACK))
    assert all(near(one, other, levels) for one, other in zip(seen, COLOURS, strict=True)), seen


@pytest.mark.parametrize("name", PNGS)
def test_a_png_is_shown_whatever_stands_beside_its_pixels(name: str) -> None:
    """Browsers ignore what is wrong, large or unknown beside the pixels of a PNG, and so do we."""
    _check(PNGS[name])


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_is_shown_whatever_stands_beside_its_pixels(name: str) -> None:
    """Browsers ignore what is wrong, large or unknown beside the pixels of a JPEG, and so do we."""
    _check(JPEGS[name])


@pytest.mark.parametrize("name", WEBPS)
def test_a_webp_is_shown_whatever_stands_beside_its_pixels(name: str) -> None:
    """Browsers ignore what is wrong, large or unknown beside the pixels of a WebP, and so do we."""
    _check(WEBPS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_other_pictures_are_shown_whatever_stands_beside_their_pixels(name: str) -> None:
    """GIF, BMP and AVIF are no stricter."""
    _check(OTHERS[name])


def _mode(convert: Callable[[Image.Image], Image.Image], kind: str = "PNG", **options: Any) -> bytes:
    return encoded(convert(FULL), kind, **options)


def _sixteen_bits(colour_type: int, pixel: bytes, width: int = 320, height: int = 180, *chunks: bytes) -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    rows = (b"\0" + pixel * width) * height
    ends = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + ends


@pytest.mark.parametrize(
    "data",
    [
        _mode(lambda image: image.convert("RGBA")),
        _mode(lambda image: image.quantize(8)),
        _mode(lambda image: image.quantize(8), transparency=bytes([255] * 8)),
        _mode(lambda image: image.convert("CMYK"), "JPEG", quality=98),
        _mode(lambda image: image.convert("CMYK"), "JPEG", quality=98, icc_profile=RUBBISH),
        _mode(lambda image: image, "JPEG", quality=98, keep_rgb=True),
        _mode(lambda image: image.convert("RGBA"), "WEBP", lossless=True),
        _mode(lambda image: image.convert("P", palette=Image.Palette.ADAPTIVE), "GIF"),
    ],
)
def test_every_mode_comes_out_in_its_colours(data: bytes) -> None:
    """Palettes, alpha, CMYK and RGB are shown alike."""
    _check(data, 6)


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        (_sixteen_bits(2, bytes.fromhex("c8ff96ff78ff")), SKIN),
        (_sixteen_bits(6, bytes.fromhex("c8ff96ff78ffffff")), SKIN),
        (_sixteen_bits(4, bytes.fromhex("80ffffff")), GREY),
        (_sixteen_bits(0, bytes.fromhex("80ff")), GREY),
        (_sixteen_bits(0, bytes.fromhex("80ff"), 320, 180, png_chunk(b"tRNS", bytes.fromhex("80ff"))), BLACK),
        (_sixteen_bits(0, bytes.fromhex("80ff"), 320, 180, png_chunk(b"tRNS", bytes.fromhex("10ff"))), GREY),
    ],
)
def test_16_bits_are_shown_as_8(data: bytes, meant: Rgb) -> None:
    """PNGs of 16 bits keep their brightness, of every colour type, and their transparency."""
    assert near(shown(frame_of(data, ON_BLACK), 100, 100), meant, 3)


_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _interlaced(image: Image.Image) -> bytes:
    """A PNG of colours in seven passes (PNG, third edition, 8.1)."""
    rows = b""
    for x, y, right, down in _ADAM7:
        for line in range(y, image.height, down):
            pixels = b"".join(bytes(image.getpixel((at, line))) for at in range(x, image.width, right))  # type: ignore[arg-type]
            rows += b"\0" + pixels if pixels else b""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1))
    ends = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"tEXt", RUBBISH) + ends


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 5), (160, 90)])
def test_interlaced_pngs_are_read(size: tuple[int, int]) -> None:
    """Adam7 of any size, however few pixels a pass has."""
    frame = frame_of(_interlaced(Image.new("RGB", size, SKIN)), ON_BLACK)
    assert near(shown(frame, 160, 90), SKIN, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_orientation_is_found_among_the_rubbish(kind: str) -> None:
    """A picture is turned upright by its EXIF, wherever that stands and whatever else is wrong."""
    picture = stripes(90, 160, RED, BLUE)  # turned by a quarter: red above blue
    data = encoded(
        picture, kind, **({"quality": 98} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {})
    )
    match kind:
        case "PNG":
            data = png_with(data, png_chunk(b"eXIf", exif(6)), png_chunk(b"tEXt", RUBBISH), before=b"IEND")
        case "JPEG":
            data = jpeg_with(data, jpeg_segment(0xE4, RUBBISH), jpeg_segment(0xE1, exif(6)))
        case "WEBP":
            data = webp_with(data, b"", riff_chunk(b"EXIF", exif(6)), riff_chunk(b"JUNK", RUBBISH), size=(90, 160))
    frame = frame_of(data, ON_BLACK)
    assert near(shown(frame, 160, 20), RED, 6)
    assert near(shown(frame, 160, 160), BLUE, 6)


def _swapped() -> bytes:
    """A profile whose red is green."""
    return (
        SRGB.replace(b"s\0R\0G\0B", b"X\0Y\0Z\0W")
        .replace(b"rXYZ", b"?XYZ")
        .replace(b"gXYZ", b"rXYZ")
        .replace(b"?XYZ", b"gXYZ")
    )


@pytest.mark.parametrize(
    "data",
    [
        png_with(PNG, png_chunk(b"iCCP", b"a\0\0" + zlib.compress(_swapped() + bytes(1_500_000)))),
        jpeg_with(JPEG, *icc_segments(_swapped() + bytes(1_500_000))),
        webp_with(WEBP, riff_chunk(b"ICCP", _swapped()), flags=0x20),
        encoded(FULL, "AVIF", quality=98, subsampling="4:4:4", icc_profile=_swapped()),
    ],
    ids=["PNG", "JPEG", "WebP", "AVIF"],
)
def test_a_profile_that_can_be_used_is_used(data: bytes) -> None:
    """However large, a right profile changes the colours: here its red is green."""
    assert near(shown(frame_of(data, ON_BLACK), 20, 90), GREEN, 6)


@pytest.mark.parametrize(
    "data",
    [
        PNG[:-40],
        PNG[:41] + bytes([PNG[41] ^ 0xFF]) + PNG[42:],
        PNG[:29] + b"\0\0\0\0" + PNG[33:],
        PNG[: PNG.index(b"IDAT") - 4] + png_chunk(b"IEND", b""),
        JPEG[: len(JPEG) // 2],
        JPEG[: JPEG.index(b"\xff\xda")],
        jpeg_with(JPEG[: len(JPEG) // 3], jpeg_segment(0xE1, b"Exif\0\0" + encoded(Image.new("RGB", (9, 9)), "JPEG"))),
        PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda")],
        WEBP[: len(WEBP) // 2],
        LOSSY_WEBP[:-40],
        webp_with(WEBP[:12]),
        b"\xff\xd8\xff\xe1\xff\xff" + encoded(Image.new("RGB", (9, 9)), "JPEG"),
    ],
)
def test_damage_of_the_pixels_stays_an_error(data: bytes) -> None:
    """What is missing or wrong in the pixels is not passed over; a thumbnail does not stand in for them."""
    with pytest.raises(PictureError):
        frame_of(data, ON_BLACK)
