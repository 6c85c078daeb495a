"""Brings Pillow's pictures into frames in JPEG's colours, a strip at a time: nothing else is held in memory."""

from av import VideoFrame
from av.video.reformatter import ColorRange
from PIL import Image

from animoto.picture.decoding import decoding
from animoto.picture.profile import Conversion, conversion_to_srgb

_STRIP_PIXELS = 1 << 20
# RGB to YCbCr (ITU-T T.871, clause 7). Pillow's own conversion rounds down, to a level less; libswscale's tints greys.
_JPEG_COLOURS = (
    *(0.299, 0.587, 0.114, 0.0),
    *(-0.168736, -0.331264, 0.5, 128.0),
    *(0.5, -0.418688, -0.081312, 128.0),
)


def frame_of_image(image: Image.Image, profile: bytes | None = None) -> VideoFrame:
    """The decoded picture as a frame (yuvj444p, full range), opaque and in sRGB, rounded right."""
    frame = VideoFrame(image.width, image.height, "yuvj444p")
    frame.color_range = ColorRange.JPEG
    with decoding():  # Pillow looks at palettes and transparency only when it converts
        to_srgb = conversion_to_srgb(_opaque_mode(image), profile)
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        with decoding():
            strip = _convert(image.crop((0, top, image.width, min(image.height, top + rows))), to_srgb)
        _write(frame, top, strip)
    return frame


def _convert(strip: Image.Image, to_srgb: Conversion | None) -> Image.Image:
    opaque = _make_opaque(_to_8_bits(strip))
    return (to_srgb(opaque) if to_srgb else opaque.convert("RGB")).convert("RGB", _JPEG_COLOURS)


def _write(frame: VideoFrame, top: int, strip: Image.Image) -> None:
    for image, plane in zip(strip.split(), frame.planes, strict=True):
        at = top * plane.line_size
        data = image.tobytes("raw", "L", plane.line_size, 1)
        memoryview(plane)[at : at + len(data)] = data


def _opaque_mode(image: Image.Image) -> str:
    """The mode that the picture has once it is opaque."""
    return "RGB" if image.has_transparency_data else "L" if image.mode.startswith("I") else image.mode


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits in 8; Pillow's plain conversion would clip them."""
    if not image.mode.startswith("I"):
        return image
    grey = image.point(lambda value: value * (1 / 256)).convert("L")
    transparent = image.info.get("transparency")
    grey.info.pop("transparency", None)
    if isinstance(transparent, int):
        grey.info["transparency"] = transparent >> 8
    return grey


def _make_opaque(image: Image.Image) -> Image.Image:
    """The picture over black."""
    if not image.has_transparency_data:
        return image
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), coloured).convert("RGB")
