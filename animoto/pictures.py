"""Decodes pictures into frames of a video, and says what is wrong with those that can't be decoded."""

import io
from dataclasses import dataclass

import av
from av import CodecContext, Packet, VideoFrame
from av.video.reformatter import ColorRange
from PIL import AvifImagePlugin, Image, ImageCms, UnidentifiedImageError, WebPImagePlugin

from animoto.canvas import Canvas
from animoto.fetch import Download
from animoto.picture.broken import Broken
from animoto.picture.orientation import Orientation, read_orientation
from animoto.picture.planes import frame_of_planes
from animoto.picture.sniff import describe_non_picture
from cloudkon.errors import CloudKonError

MAX_PIXELS = 64_000_000
"""A little above what phones take; as RGB 192 MB."""
# Naming the modules of the last two loads them, which Pillow does not do by itself for a list of formats.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", AvifImagePlugin.AvifImageFile.format, WebPImagePlugin.WebPImageFile.format)
# RGB to YCbCr (ITU-T T.871, clause 7). Pillow's own conversion rounds down, to a level less; libswscale's tints greys.
_JPEG_COLOURS = (
    *(0.299, 0.587, 0.114, 0.0),
    *(-0.168736, -0.331264, 0.5, 128.0),
    *(0.5, -0.418688, -0.081312, 128.0),
)
_DAMAGED = "it is damaged, or cut off before its end"


class PictureError(CloudKonError):
    """The bytes are not a picture that can be used. The message is the reason."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a frame of the video: yuv420p in limited range."""

    index: int
    frame: VideoFrame


def read_picture(download: Download, canvas: Canvas, max_pixels: int = MAX_PIXELS) -> Picture | Broken:
    """Read what was downloaded; any number of threads may."""
    if isinstance(download, Broken):
        return download
    try:
        return Picture(download.index, frame_of(download.data, canvas, max_pixels))
    except PictureError as error:
        return Broken(download.index, download.url, str(error))


def frame_of(data: bytes, canvas: Canvas, max_pixels: int = MAX_PIXELS) -> VideoFrame:
    """Decode a picture (the first, of an animation) and place it on the canvas.

    What is transparent lies over black. Raises PictureError when any part of it is missing or damaged.
    """
    image = _open(data)
    _check_size(image, max_pixels)
    decoded = _decode_jpeg(data, max_pixels) if _is_plain_jpeg(image) else None
    return canvas.place(decoded or _to_frame(_decode_pixels(image)), _read_turn(image))


def _open(data: bytes) -> Image.Image:
    """Reads the header alone."""
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        raise PictureError(describe_non_picture(data)) from None
    except Image.DecompressionBombError as error:
        raise PictureError(f"it is too large: {error}") from None
    except Exception as error:
        raise PictureError(_DAMAGED) from error


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise PictureError(f"it has {image.width}x{image.height} pixels; at most {max_pixels:,} are decoded")


def _read_turn(image: Image.Image) -> Orientation:
    exif = image.info.get("exif")
    return read_orientation(exif) if isinstance(exif, bytes) else Orientation.UPRIGHT


def _is_plain_jpeg(image: Image.Image) -> bool:
    """Whether the fast decoder, which knows no CMYK and no colour profiles, shows it right."""
    return image.format in {"JPEG", "MPO"} and image.mode in {"RGB", "L"} and _foreign_profile(image) is None


def _decode_jpeg(data: bytes, max_pixels: int) -> VideoFrame | None:
    """Decodes without silence about damage: what ends early is an error, not a grey lower half. None if it is RGB."""
    decoder = CodecContext.create("mjpeg", "r")
    decoder.thread_count = 1  # pictures are spread over threads, each is not
    # The limit again, for a picture may have a second header that says something else.
    decoder.options = {"err_detect": "explode", "max_pixels": str(max_pixels)}
    try:
        frames = decoder.decode(Packet(data))
    except av.FFmpegError as error:
        raise PictureError(_DAMAGED) from error
    if not frames or not isinstance(frames[0], VideoFrame) or frames[0].is_corrupt:
        raise PictureError(_DAMAGED)
    return None if frames[0].format.is_rgb else frames[0]


def _to_frame(image: Image.Image) -> VideoFrame:
    """A picture of Pillow's in JPEG's colours, rounded right."""
    frame = frame_of_planes(image.convert("RGB", _JPEG_COLOURS).split(), "yuvj444p")
    frame.color_range = ColorRange.JPEG
    return frame


def _decode_pixels(image: Image.Image) -> Image.Image:
    """Opaque RGB, 8 bits, in sRGB."""
    try:
        image.load()
        return _to_srgb(_make_opaque(_to_8_bits(image)), _foreign_profile(image))
    except Exception as error:
        raise PictureError(_DAMAGED) from error


def _to_8_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey; a plain conversion would clip them
        return image.point(lambda value: value * (1 / 256)).convert("L")
    return image


def _make_opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), coloured).convert("RGB")


def _to_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    if profile is not None and image.mode == profile.profile.xcolor_space.strip():
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def _foreign_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The picture's colour profile, if it has one, of colours, that can be read and is not sRGB."""
    if image.mode == "L" or not (embedded := image.info.get("icc_profile")):
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        return None if "srgb" in ImageCms.getProfileDescription(profile).lower() else profile
    except (OSError, ImageCms.PyCMSError):
        return None
