"""Pictures that browsers and ffmpeg show, though much is wrong, large or odd beside their pixels."""

import random
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

from animoto.formats.picture_file import MAX_PROFILE_BYTES
from tests.support.data.picture_parts import (
    SRGB,
    UNUSABLE_PROFILE,
    icc_segments,
    iccp,
    jpeg_segment,
    jpeg_with,
    png_chunk,
    png_with,
    riff_chunk,
    webp_with,
)
from tests.support.data.pixels import BLACK, BLUE, GREEN, GREY, RED, SKIN, WHITE, encoded, stripes

COLOURS = (RED, GREEN, BLUE, WHITE, BLACK, GREY, SKIN, (17, 200, 180))
FULL = stripes(320, 180, *COLOURS)
RUBBISH = random.Random(11).randbytes(700)

PNG = encoded(FULL)
PALETTE = encoded(FULL.quantize(8))
JPEG = encoded(FULL, "JPEG", quality=98, subsampling=0)
JPEG_420 = encoded(FULL, "JPEG", quality=98)
PROGRESSIVE = encoded(FULL, "JPEG", quality=98, subsampling=0, progressive=True)
WEBP = encoded(FULL, "WEBP", lossless=True)
LOSSY_WEBP = encoded(FULL, "WEBP", quality=98)
AVIF = encoded(FULL, "AVIF", quality=98, subsampling="4:4:4", icc_profile=UNUSABLE_PROFILE)


def _with_text(size: int) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("workflow", "y" * size, zip=True)
    return encoded(FULL, pnginfo=text)


def _animated(kind: str, **options: Any) -> bytes:
    others = [Image.new("RGB", FULL.size, "red"), Image.new("RGB", FULL.size, "blue")]
    return encoded(FULL, kind, save_all=True, append_images=others, duration=50, **options)


def _many(name: bytes, count: int) -> bytes:
    return png_with(PNG, *(png_chunk(name, b"key\0value %d" % number) for number in range(count)))


def _split(png: bytes) -> bytes:
    """The file with its pixels in two chunks, and text between them."""
    at = png.index(b"IDAT") - 4
    size = int.from_bytes(png[at : at + 4], "big")
    pixels, rest = png[at + 8 : at + 8 + size], png[at + 12 + size :]
    parts = png_chunk(b"IDAT", pixels[:50]) + png_chunk(b"tEXt", b"a\0b") + png_chunk(b"IDAT", pixels[50:])
    return png[:at] + parts + rest


PNGS = {
    "3 MB of compressed text": _with_text(3_000_000),
    "90 MB of compressed text": _with_text(90_000_000),
    "text above all of Pillow's limits together": png_with(
        PNG, *(png_chunk(b"zTXt", b"k%d\0\0" % n + zlib.compress(bytes(1_000_000))) for n in range(70))
    ),
    "10,000 texts": _many(b"tEXt", 10_000),
    "text of rubbish": png_with(PNG, *(png_chunk(name, RUBBISH) for name in (b"tEXt", b"zTXt", b"iTXt"))),
    "empty chunks": png_with(
        PNG, *(png_chunk(n, b"") for n in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"gAMA", b"cHRM", b"sRGB"))
    ),
    "chunks of rubbish": png_with(
        PNG,
        *(
            png_chunk(n, RUBBISH)
            for n in (b"iCCP", b"eXIf", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"bKGD", b"sBIT", b"hIST", b"sPLT")
        ),
    ),
    "zero for a gamma and a density": png_with(
        PNG, png_chunk(b"gAMA", bytes(4)), png_chunk(b"cHRM", bytes(32)), png_chunk(b"pHYs", bytes(9))
    ),
    "chunks that nobody knows": png_with(PNG, png_chunk(b"vpAg", RUBBISH), png_chunk(b"caBX", bytes(200_000))),
    "chunks beside the pixels between them": png_with(PNG, png_chunk(b"tEXt", b"a\0b"), before=b"IEND"),
    "wrong checksums beside the pixels": png_with(
        PNG, *(png_chunk(n, b"a\0b", intact=False) for n in (b"tEXt", b"tIME", b"pHYs", b"vpAg", b"iCCP", b"eXIf"))
    ),
    "transparency with a wrong checksum": png_with(PNG, png_chunk(b"tRNS", bytes(6), intact=False)),
    "transparency of a wrong length": png_with(PNG, png_chunk(b"tRNS", bytes(5))),
    "transparency of more colours than there are": png_with(PALETTE, png_chunk(b"tRNS", bytes(257))),
    "a profile of 1.5 MB": png_with(PNG, iccp(SRGB + bytes(1_500_000))),
    "a profile that unpacks to 90 MB": png_with(PNG, iccp(SRGB + bytes(90_000_000))),
    "a profile that is cut off": png_with(PNG, png_chunk(b"iCCP", b"name\0\0" + zlib.compress(SRGB)[:300])),
    "a profile of another method": png_with(PNG, png_chunk(b"iCCP", b"name\0\1" + zlib.compress(SRGB))),
    "a profile that can't be used": png_with(PNG, iccp(UNUSABLE_PROFILE)),
    "a profile of rubbish": png_with(PNG, iccp(RUBBISH)),
    "a profile of greys": png_with(PNG, iccp(SRGB.replace(b"RGB ", b"GRAY", 1))),
    "two profiles": png_with(PNG, iccp(SRGB), iccp(UNUSABLE_PROFILE)),
    "rubbish after the end": PNG + RUBBISH,
    "another picture after the end": PNG + encoded(Image.new("RGB", (9, 9))),
    "no end": PNG[:-12],
    "half an end": PNG[:-6],
    "an animation": _animated("PNG"),
    "an animation that is cut off after its first picture": _animated("PNG", default_image=True)[:-60],
    "a second palette": png_with(PALETTE, png_chunk(b"PLTE", bytes(3))),
    "a critical chunk that nobody knows": png_with(PNG, png_chunk(b"ABCD", RUBBISH)),
    "text between the parts of its pixels": _split(PNG),
    "a suggested palette": png_with(PNG, png_chunk(b"PLTE", bytes(9))),
}
JPEGS = {
    "rubbish in every application segment": jpeg_with(
        JPEG, *(jpeg_segment(0xE0 + n, RUBBISH) for n in range(16)), jpeg_segment(0xFE, RUBBISH)
    ),
    "empty application segments": jpeg_with(JPEG, *(jpeg_segment(0xE0 + n, b"") for n in range(16))),
    "known names before rubbish": jpeg_with(
        JPEG,
        *(
            jpeg_segment(code, name + RUBBISH)
            for code, name in {
                0xE0: b"JFXX\0",
                0xE1: b"Exif\0\0",
                0xE2: b"MPF\0",
                0xE3: b"Meta",
                0xED: b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\xff\xff\xff\xff",
                0xEC: b"Ducky",
            }.items()
        ),
    ),
    "Photoshop's notes cut off": jpeg_with(JPEG, jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10\0")),
    "a short Adobe segment": jpeg_with(JPEG, jpeg_segment(0xEE, b"Adobe\0d")),
    "10 MB of comments": jpeg_with(JPEG, *(jpeg_segment(0xFE, bytes(65_000)) for _ in range(160))),
    "EXIF of rubbish": jpeg_with(JPEG, jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + RUBBISH)),
    "EXIF that points beyond its end": jpeg_with(JPEG, jpeg_segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff")),
    "EXIF whose entries never end": jpeg_with(JPEG, jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(50))),
    "a profile that can't be used": jpeg_with(JPEG, *icc_segments(UNUSABLE_PROFILE)),
    "a profile of rubbish": jpeg_with(JPEG, *icc_segments(RUBBISH)),
    "a profile of which a part is missing": jpeg_with(JPEG, *icc_segments(UNUSABLE_PROFILE, 100)[1:]),
    "a profile in the wrong order": jpeg_with(JPEG, *reversed(icc_segments(UNUSABLE_PROFILE, 100))),
    "a profile without numbers": jpeg_with(JPEG, jpeg_segment(0xE2, b"ICC_PROFILE\0")),
    "a profile of 4 MB": jpeg_with(JPEG, *icc_segments(SRGB + bytes(4_000_000))),
    "a profile of 14 MB": jpeg_with(JPEG, *icc_segments(UNUSABLE_PROFILE + bytes(14_000_000))),
    "bytes between its segments": JPEG[:2] + b"\0\0\0" + JPEG[2:20] + bytes(30) + JPEG[20:],
    "fill bytes before its markers": JPEG[:2] + b"\xff" * 40 + JPEG[2:],
    "rubbish after its end": JPEG + RUBBISH,
    "another picture after its end": JPEG + encoded(Image.new("RGB", (9, 9)), "JPEG"),
    "a video after its end": JPEG + b"\0\0\0\x18ftypmp42" + bytes(5_000),
    "no end": JPEG[:-2],
    "no end, progressive": PROGRESSIVE[:-2],
    "restart markers": encoded(FULL, "JPEG", quality=98, subsampling=0, restart_marker_blocks=3),
    "an album of several pictures": _animated("MPO", quality=98, subsampling=0),
    "colours at half the resolution": JPEG_420,
}
WEBPS = {
    "EXIF of rubbish": webp_with(WEBP, b"", riff_chunk(b"EXIF", RUBBISH), flags=8),
    "XMP of rubbish": webp_with(WEBP, b"", riff_chunk(b"XMP ", RUBBISH), flags=4),
    "a profile that can't be used": webp_with(WEBP, riff_chunk(b"ICCP", UNUSABLE_PROFILE), flags=0x20),
    "a profile of rubbish": webp_with(LOSSY_WEBP, riff_chunk(b"ICCP", RUBBISH), flags=0x20),
    "a profile of 9 MB": webp_with(LOSSY_WEBP, riff_chunk(b"ICCP", bytes(MAX_PROFILE_BYTES + 1)), flags=0x20),
    "a profile that is told of and missing": webp_with(WEBP, flags=0x20),
    "EXIF that is told of and missing": webp_with(WEBP, flags=0xC),
    "chunks that nobody knows": webp_with(WEBP, riff_chunk(b"JUNK", RUBBISH), riff_chunk(b"junk", b"1")),
    "rubbish after its end": WEBP + RUBBISH,
    "an end that is told too late": WEBP[:4] + struct.pack("<I", len(WEBP) + 1_000) + WEBP[8:],
    "an animation": _animated("WEBP", lossless=True),
    "an animation with rubbish for EXIF": _animated("WEBP", lossless=True, exif=RUBBISH),
}
GIF = encoded(FULL, "GIF")
OTHERS = {
    "GIF, an animation": _animated("GIF"),
    "GIF, an animation that is cut off after its first picture": _animated("GIF")[: len(GIF) + 30],
    "GIF, rubbish after its end": GIF + RUBBISH,
    "GIF, no end": GIF[:-1],
    "GIF, comments": GIF[:-1] + b"\x21\xfe\x05abcde\0" + GIF[-1:],
    "BMP, rubbish after its end": encoded(FULL, "BMP") + RUBBISH,
    "BMP, wrong sizes in its header": encoded(FULL, "BMP")[:2] + bytes(4) + encoded(FULL, "BMP")[6:],
    "AVIF, a profile that can't be used": AVIF,
    "AVIF, rubbish after its end": AVIF + struct.pack(">I", 708) + b"free" + RUBBISH,
}
