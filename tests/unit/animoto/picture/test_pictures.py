import io
import random
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NoReturn

import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from animoto.canvas import Canvas
from animoto.fetch import Fetched
from animoto.formats.picture_file import DAMAGED
from animoto.picture.broken import Broken
from animoto.picture.decoding_memory import DecodingMemory
from animoto.picture.letterbox import Background
from animoto.pictures import Picture, PictureError, frame_of, read_picture
from tests.support.data.pixels import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    RED,
    SKIN,
    WHITE,
    Rgb,
    colour,
    corners,
    encoded,
    near,
    shown,
    stripes,
)

# Pillow tells of broken EXIF, which is read here without it.
pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")

SMALL = Canvas(320, 180)
ON_BLACK = Canvas(320, 180, Background.BLACK)
COLOURS = (RED, GREEN, BLUE, WHITE, BLACK, GREY, SKIN, (17, 200, 180))
FULL = stripes(320, 180, *COLOURS)
EVERY_ORIENTATION = range(1, 9)


def colours(frame: VideoFrame) -> list[Rgb]:
    step = frame.width // len(COLOURS)
    return [shown(frame, number * step + step // 2, frame.height // 2) for number in range(len(COLOURS))]


def reason(data: bytes, **more: Any) -> str:
    with pytest.raises(PictureError) as caught:
        frame_of(data, SMALL, **more)
    return str(caught.value)


PRECISE = {"quality": 98, "subsampling": 0}
READABLE = {
    "JPEG": encoded(FULL, "JPEG", **PRECISE),
    "JPEG 4:2:0": encoded(FULL, "JPEG", quality=98, subsampling=2),
    "JPEG, progressive": encoded(FULL, "JPEG", progressive=True, **PRECISE),
    "JPEG of RGB": encoded(FULL, "JPEG", keep_rgb=True, **PRECISE),
    "JPEG of CMYK": encoded(FULL.convert("CMYK"), "JPEG", quality=98),
    "JPEG, half size": encoded(stripes(160, 90, *COLOURS), "JPEG", **PRECISE),
    "JPEG, odd size": encoded(stripes(641, 361, *COLOURS), "JPEG", **PRECISE),
    "JPEG of two pictures": encoded(
        FULL, "MPO", save_all=True, append_images=[Image.new("RGB", (320, 180), RED)], **PRECISE
    ),
    "JPEG with a profile of sRGB": encoded(
        FULL, "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), **PRECISE
    ),
    "JPEG with a broken profile": encoded(FULL, "JPEG", icc_profile=b"none", **PRECISE),
    "JPEG with broken EXIF": encoded(FULL, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", **PRECISE),
    "PNG": encoded(FULL),
    "PNG with a palette": encoded(FULL.quantize(16)),
    "PNG with alpha": encoded(FULL.convert("RGBA")),
    "WebP": encoded(FULL, "WEBP", lossless=True),
    "WebP, animated": encoded(FULL, "WEBP", lossless=True, save_all=True, append_images=[ImageOps.invert(FULL)]),
    "GIF, animated": encoded(FULL, "GIF", save_all=True, append_images=[ImageOps.invert(FULL)]),
    "APNG": encoded(FULL, save_all=True, append_images=[ImageOps.invert(FULL)]),
    "AVIF": encoded(FULL, "AVIF", quality=99, subsampling="4:4:4"),
    "BMP": encoded(FULL, "BMP"),
}


@pytest.mark.parametrize("kind", READABLE)
def test_pictures_of_each_kind_keep_their_colours(kind: str) -> None:
    """Pictures of each kind come out in their colours, the first of an animation, tagged for browsers."""
    frame = frame_of(READABLE[kind], SMALL)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 320, 180)
    assert (frame.color_range, frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 13, 6)
    assert all(near(seen, meant, 3) for seen, meant in zip(colours(frame), COLOURS, strict=True)), colours(frame)
    assert all(max(seen) - min(seen) <= 1 for seen in colours(frame)[3:6]), "greys are tinted"


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_stay_within_two_levels(kind: str, mode: str) -> None:
    """Colours stay within two levels, greys are grey, and JPEG's own losses are all there is."""
    greys = [(level, level, level) for level in range(0, 256, 17)]
    image = stripes(640, 360, *(greys if mode == "L" else COLOURS * 2)).convert(mode)
    frame = frame_of(encoded(image, kind, quality=100, lossless=True), Canvas(640, 360))
    for x in range(20, 640, 40):
        seen, meant = shown(frame, x, 180), colour(image, x, 180)
        assert near(seen, meant), (x, seen, meant)
        assert mode == "RGB" or len(set(seen)) == 1


def test_any_colours_stay_close_and_keep_their_brightness() -> None:
    """Of any colours, each comes out within two levels, and all together as bright as they were."""
    tiles = Image.frombytes("RGB", (16, 9), random.Random(1).randbytes(3 * 16 * 9))
    image = tiles.resize((640, 360), Image.Resampling.NEAREST)
    frame = frame_of(encoded(image), Canvas(640, 360))
    places = [(x, y) for x in range(20, 640, 40) for y in range(20, 360, 40)]
    seen, meant = ([look(x, y) for x, y in places] for look in (partial(shown, frame), partial(colour, image)))
    assert all(map(near, seen, meant))
    assert sum(map(sum, seen)) == pytest.approx(sum(map(sum, meant)), abs=3 * len(places) / 4)


def test_greys_of_16_bits_are_not_clipped() -> None:
    """Greys of 16 bits keep their brightness, and are not clipped."""
    for level in (0, 20_000, 40_000, 65_535):
        frame = frame_of(encoded(Image.new("I;16", (320, 180), level)), SMALL)
        assert near(shown(frame, 100, 100), (round(level / 257),) * 3)


def test_16_bits_of_colour() -> None:
    """PNG of 16 bits a channel is read."""
    row = b"\0" + struct.pack(">HHH", 51_400, 38_550, 30_840) * 320
    frame = frame_of(png(320, 180, row * 180, depth=16, kind=2), SMALL)
    assert near(shown(frame, 100, 100), SKIN)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "LA", "P"])
def test_transparent_pixels_are_blended_over_black(kind: str) -> None:
    """What is transparent lies over black, in proportion."""
    image = Image.new("RGBA", (320, 180), (*WHITE, 255))
    image.paste((*WHITE, 0), (0, 0, 160, 180))
    image.paste((*WHITE, 128), (160, 0, 240, 180))
    data = encoded(image.convert(kind), "PNG") if kind == "LA" else encoded(image, kind if kind == "WEBP" else "PNG")
    if kind == "P":
        data = encoded(image.quantize(8), "PNG")
    frame = frame_of(data, SMALL)
    assert near(shown(frame, 80, 90), BLACK)
    assert near(shown(frame, 200, 90), GREY)
    assert near(shown(frame, 300, 90), WHITE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_of_another_profile_are_converted(kind: str) -> None:
    """The colours of another profile are converted, as a browser does: here its red is green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")
    foreign = swapped.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
    data = encoded(Image.new("RGB", (320, 180), RED), kind, icc_profile=foreign, quality=100)
    assert near(shown(frame_of(data, SMALL), 100, 100), GREEN, 3)


def test_profile_of_other_kind() -> None:
    """A profile that is none of the picture's kind is left out."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    frame = frame_of(encoded(FULL, "PNG", icc_profile=profile), SMALL)
    assert all(near(seen, meant) for seen, meant in zip(colours(frame), COLOURS, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", EVERY_ORIENTATION)
@pytest.mark.parametrize("size", [(320, 180), (90, 120), (201, 99)])
def test_a_picture_stands_as_the_camera_was_held(turn: int, kind: str, size: tuple[int, int]) -> None:
    """A picture stands as the camera was held, for each of the eight ways, in the middle of the frame."""
    image = corners(*size)
    exif = Image.Exif()
    exif[0x0112] = turn
    turned = ImageOps.exif_transpose(opened(encoded(image, "PNG", exif=exif)))
    frame = frame_of(encoded(image, kind, exif=exif, quality=95), ON_BLACK)
    width = min(320, 180 * turned.width / turned.height)
    height = min(180, 320 * turned.height / turned.width)
    for right, low in ((0, 0), (1, 0), (0, 1), (1, 1)):
        place = 160 + (right - 0.5) * width / 2, 90 + (low - 0.5) * height / 2
        meant = colour(turned, turned.width * (1 + 2 * right) // 4, turned.height * (1 + 2 * low) // 4)
        assert near(shown(frame, round(place[0]), round(place[1])), meant, 4)
    if width < 300:
        assert shown(frame, 4, 90) == shown(frame, 316, 90) == BLACK


def test_beside_a_portrait_lies_its_blurred_copy() -> None:
    """Beside a portrait lies a blurred copy of it, or nothing, as the canvas has it."""
    portrait = encoded(Image.new("RGB", (90, 160), SKIN), "JPEG", **PRECISE)
    assert near(shown(frame_of(portrait, SMALL), 10, 90), SKIN)
    assert shown(frame_of(portrait, ON_BLACK), 10, 90) == BLACK
    assert near(shown(frame_of(portrait, ON_BLACK), 160, 90), SKIN)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 3), (3_000, 1), (1, 3_000), (17, 31)])
@pytest.mark.parametrize("canvas", [SMALL, ON_BLACK, Canvas(2, 2), Canvas(90, 160)])
def test_the_smallest_and_thinnest_pictures_make_a_frame(size: tuple[int, int], canvas: Canvas) -> None:
    """However small or thin a picture is, it makes a frame."""
    for kind in ("PNG", "JPEG"):
        frame = frame_of(encoded(Image.new("RGB", size, SKIN), kind), canvas)
        assert (frame.width, frame.height) == (canvas.width, canvas.height)
        assert near(shown(frame, canvas.width // 2 - 1, canvas.height // 2 - 1), SKIN, 4)


@pytest.mark.parametrize("kind", ["JPEG", "JPEG, progressive", "JPEG of CMYK", "PNG", "WebP", "GIF, animated", "AVIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_broken(kind: str, part: float) -> None:
    """A picture that was cut off is broken, not grey below."""
    noisy = Image.effect_noise((320, 180), 90).convert("CMYK" if "CMYK" in kind else "RGB")
    options: dict[str, Any] = {"progressive": True} if "progressive" in kind else {}
    data = encoded(noisy, kind.partition(" ")[0].partition(",")[0], **options)
    assert reason(data[: int(len(data) * part)])


def test_a_jpeg_with_a_hole_in_its_middle_is_broken() -> None:
    """A JPEG with a hole in its middle is broken."""
    data = encoded(Image.effect_noise((320, 180), 90), "JPEG")
    half = len(data) // 2
    assert reason(data[:half] + b"\xff\xd8" * 200 + data[half + 400 :]) == "it is damaged, or cut off before its end"


def test_too_many_pixels_are_refused_before_decoding() -> None:
    """A picture of more pixels than allowed is refused by its header, before any of them is decoded."""
    assert reason(png(60_000, 1_100, b"")) == "it has 60000x1100 pixels; at most 64,000,000 are decoded"
    assert reason(READABLE["JPEG"], max_pixels=57_599) == "it has 320x180 pixels; at most 57,599 are decoded"
    assert "too large" in reason(png(60_000, 60_000, b""))


@given(st.binary(max_size=64), st.sampled_from(sorted(READABLE)), st.integers(0, 400), st.booleans())
def test_any_bytes_give_a_frame_or_a_reason(noise: bytes, kind: str, at: int, keep_rest: bool) -> None:  # noqa: FBT001
    """Whatever bytes come, there is a frame or a reason."""
    data = READABLE[kind]
    data = data[:at] + noise + (data[at + len(noise) :] if keep_rest else b"")
    found = read_picture(Fetched(3, "http://h/a.jpg", data, 0.1), Canvas(64, 36), DecodingMemory())
    match found:
        case Picture(index=3, frame=frame):
            assert (frame.width, frame.height) == (64, 36)
        case Broken(index=3, url="http://h/a.jpg", reason=why, temporary=False):
            assert why
        case _:
            pytest.fail(f"{found}")


def test_a_palette_that_only_a_conversion_looks_at_is_damage() -> None:
    """Pillow opens and loads a picture without its palette, and fails at the conversion, with an assertion."""
    assert reason(encoded(corners(32, 18).convert("P")).replace(b"PLTE", b"PLTx")) == DAMAGED


@pytest.mark.parametrize(
    ("where", "kind"), [("animoto.pictures.read_orientation", "PNG"), ("animoto.canvas.letterbox", "JPEG")]
)
def test_a_mistake_of_ours_is_not_taken_for_damage(monkeypatch: pytest.MonkeyPatch, where: str, kind: str) -> None:
    """Of damage a user is told; of a bug there must be a traceback, whatever kind of error it is."""

    def fail(*_: object) -> NoReturn:
        raise ValueError("ours")

    monkeypatch.setattr(where, fail)
    with pytest.raises(ValueError, match="ours"):
        frame_of(READABLE[kind], SMALL)


def test_a_picture_that_was_not_fetched_stays_broken() -> None:
    """What could not be fetched stays what it was."""
    broken = Broken(1, "http://h/a.jpg", "gone")
    assert read_picture(broken, SMALL, DecodingMemory()) is broken


def test_the_same_bytes_make_the_same_frame_on_any_thread() -> None:
    """The same bytes make the same frame, on any thread."""
    data = encoded(corners(300, 400), "JPEG")
    with ThreadPoolExecutor(4) as threads:
        frames = threads.map(lambda _: [bytes(plane) for plane in frame_of(data, SMALL).planes], range(24))
        first, *others = frames
    assert all(other == first for other in others)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def png(width: int, height: int, rows: bytes, *, depth: int = 8, kind: int = 2) -> bytes:
    """A PNG by hand, for what Pillow does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
