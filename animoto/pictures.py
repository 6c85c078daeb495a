"""Decodes pictures into frames of a video, and says what is wrong with those that can't be decoded."""

import io
from dataclasses import dataclass

import av
from av import CodecContext, Packet, VideoFrame
from PIL import AvifImagePlugin, Image, UnidentifiedImageError, WebPImagePlugin

from animoto.canvas import Canvas
from animoto.fetch import Download
from animoto.formats import jpeg, png
from animoto.formats.picture_file import DAMAGED, PictureError, PictureFile
from animoto.formats.sniff import describe_non_picture
from animoto.formats.webp import is_webp, part_webp
from animoto.picture.broken import Broken
from animoto.picture.decoding import decoding
from animoto.picture.decoding_memory import DecodingMemory
from animoto.picture.orientation import read_orientation
from animoto.picture.profile import conversion_to_srgb
from animoto.picture.strips import frame_of_image

__all__ = ["MAX_PIXELS", "MAX_SIDE", "Picture", "PictureError", "frame_of", "read_picture"]

MAX_PIXELS = 64_000_000
"""A little above what phones take."""
MAX_SIDE = 65_500
"""The most that decoders of JPEG take. Beyond it, thin pictures of few pixels need much memory."""
# Naming the modules of the last two loads them, which Pillow does not do by itself for a list of formats.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", AvifImagePlugin.AvifImageFile.format, WebPImagePlugin.WebPImageFile.format)
_BYTES_PER_PIXEL = {"JPEG": 8, "MPO": 8, "PNG": 8, "GIF": 8, "BMP": 8, "AVIF": 10, "WEBP": 16}
"""What decoding takes at its peak, by python -m bench.animoto.memory."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a frame of the video: yuv420p in limited range."""

    index: int
    frame: VideoFrame


def read_picture(
    download: Download, canvas: Canvas, memory: DecodingMemory, max_pixels: int = MAX_PIXELS
) -> Picture | Broken:
    """Read what was downloaded. Thread-safe; waits until there is memory to decode it in."""
    if isinstance(download, Broken):
        return download
    try:
        return Picture(download.index, frame_of(download.data, canvas, max_pixels, memory))
    except PictureError as error:
        return Broken(download.index, download.url, str(error))


def frame_of(
    data: bytes, canvas: Canvas, max_pixels: int = MAX_PIXELS, memory: DecodingMemory | None = None
) -> VideoFrame:
    """Decode a picture (the first, of an animation) and place it on the canvas.

    What is transparent lies over black. Raises PictureError when any part of the pixels is missing or damaged; what is
    wrong beside them does no harm.
    """
    memory = memory or DecodingMemory()
    if data.startswith(jpeg.SIGNATURE):
        return _place_jpeg(data, canvas, max_pixels, memory)
    if data.startswith(png.SIGNATURE):
        return _place_by_pillow(png.part_png(data), canvas, max_pixels, memory)
    file = part_webp(data) if is_webp(data) else PictureFile(data)
    return _place_by_pillow(file, canvas, max_pixels, memory)


def _place_jpeg(data: bytes, canvas: Canvas, max_pixels: int, memory: DecodingMemory) -> VideoFrame:
    file, header = jpeg.part_jpeg(data)
    _check_size(header.width, header.height, max_pixels)
    plain = header.components in {1, 3} and conversion_to_srgb("RGB", file.profile) is None
    with memory.reserve(header.width * header.height * _BYTES_PER_PIXEL["JPEG"]):
        decoded = _decode_jpeg_pixels(file.pixels, max_pixels)
        if plain and decoded is not None and not decoded.format.is_rgb:
            return canvas.place(decoded, read_orientation(file.exif))
    del decoded  # its memory is free before the next decoder begins
    return _place_by_pillow(file, canvas, max_pixels, memory)


def _decode_jpeg_pixels(data: bytes, max_pixels: int) -> VideoFrame | None:
    """Decode without silence about damage: what ends early is an error, not a grey lower half.

    This decoder is fast, but knows neither CMYK nor profiles: whatever it makes of those only tells that they are
    whole. None if it can't read this kind of JPEG at all.
    """
    decoder = CodecContext.create("mjpeg", "r")
    decoder.thread_count = 1  # pictures are spread over threads, each is not
    decoder.options = {"err_detect": "explode", "max_pixels": str(max_pixels)}
    with decoding():
        try:
            frames = decoder.decode(Packet(data))
        except av.PatchWelcomeError:
            return None
    if not frames or not isinstance(frames[0], VideoFrame) or frames[0].is_corrupt:
        raise PictureError(DAMAGED)
    return frames[0]


def _place_by_pillow(file: PictureFile, canvas: Canvas, max_pixels: int, memory: DecodingMemory) -> VideoFrame:
    with _open(file.pixels) as image:
        _check_size(image.width, image.height, max_pixels)
        with memory.reserve(image.width * image.height * _BYTES_PER_PIXEL[image.format or ""]):
            with decoding():
                image.load()
            profile = file.profile or image.info.get("icc_profile")
            exif = file.exif or image.info.get("exif")
            frame = frame_of_image(image, profile if isinstance(profile, bytes) else None)
            image.close()
            return canvas.place(frame, read_orientation(exif if isinstance(exif, bytes) else b""))


def _open(data: bytes) -> Image.Image:
    """Read the header alone."""
    with decoding():
        try:
            return Image.open(io.BytesIO(data), formats=_FORMATS)
        except UnidentifiedImageError:
            raise PictureError(describe_non_picture(data)) from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PictureError(f"it is too large: {error}") from None


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if not width or not height:
        raise PictureError(DAMAGED)
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"it has {width}x{height} pixels; at most {MAX_SIDE:,} are decoded across and down")
    if width * height > max_pixels:
        raise PictureError(f"it has {width}x{height} pixels; at most {max_pixels:,} are decoded")
