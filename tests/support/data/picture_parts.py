"""Builds files of pictures out of their parts, right ones and wrong ones."""

import io
import struct
import zlib

from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
UNUSABLE_PROFILE = SRGB.replace(b"s\0R\0G\0B", b"X\0Y\0Z\0W").replace(b"rXYZ", b"zzYZ")
"""It opens, and no transform can be made of it."""


def png_chunk(name: bytes, content: bytes, *, intact: bool = True) -> bytes:
    crc = zlib.crc32(name + content) ^ (not intact)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png_with(png: bytes, *chunks: bytes, before: bytes = b"IDAT") -> bytes:
    """The file with chunks before its first one of this name."""
    at = png.index(before) - 4
    return png[:at] + b"".join(chunks) + png[at:]


def iccp(profile: bytes) -> bytes:
    return png_chunk(b"iCCP", b"name\0\0" + zlib.compress(profile))


def jpeg_segment(code: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(content) + 2) + content


def jpeg_with(jpeg: bytes, *segments: bytes) -> bytes:
    """The file with segments behind its first two bytes."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def icc_segments(profile: bytes, size: int = 60_000) -> list[bytes]:
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    return [
        jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part)
        for number, part in enumerate(parts, start=1)
    ]


def riff_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp_with(webp: bytes, *chunks: bytes, flags: int = 0, size: tuple[int, int] = (320, 180)) -> bytes:
    """An extended file of a simple one, with chunks around its pixels."""
    wide, high = (side - 1 for side in size)
    head = riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + wide.to_bytes(3, "little") + high.to_bytes(3, "little"))
    body = b"WEBP" + head + b"".join(chunks[:1]) + webp[12:] + b"".join(chunks[1:])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def bytes_of(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
