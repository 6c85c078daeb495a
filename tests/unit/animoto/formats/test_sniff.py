"""What came instead of a picture is told by what it is."""

import pytest

from animoto.canvas import Canvas
from animoto.pictures import PictureError, frame_of
from tests.support.data.pixels import RED, encoded, stripes

FULL = stripes(64, 36, RED)


def reason(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        frame_of(data, Canvas(64, 36))
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page (HTML)"),
        (b"\xef\xbb\xbf\r\n  <HTML>", "a web page (HTML)"),
        (b'<?xml version="1.0"?><svg/>', "a drawing (SVG)"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "it is XML"),
        (b'{"error": "gone"}', "it is JSON"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (encoded(FULL, "TIFF"), "a TIFF picture"),
        (b"<!-- saved --><!doctype svg><svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing (SVG)"),
        (b"<!-- a comment --><html><body>Sign in</body></html>", "a web page (HTML)"),
        (encoded(FULL, "PPM"), "a Netpbm picture"),
        (encoded(FULL, "ICO"), "an icon (ICO)"),
        (encoded(FULL, "JPEG2000"), "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51\0\x29", "a JPEG 2000 picture"),
        (b"\xff\x0a\xfa\x7f", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "a JPEG XL picture"),
        (b"8BPS\0\1", "a Photoshop document (PSD)"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "a camera's raw picture (CR3)"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "it is sound"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "it is text"),
        (b"PK\3\4\x14\0", "a ZIP archive"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript document"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\0\7\x0f\x80" * 9, "damaged from its start, or something else"),
    ],
)
def test_what_is_no_picture_is_told_by_what_it_is(data: bytes, kind: str) -> None:
    """What is no picture is told by what it is."""
    assert kind in reason(data)


@pytest.mark.parametrize(
    ("marker", "bits", "kind"),
    [
        (0xC0, 12, "has 12 bits a level"),
        (0xC1, 12, "has 12 bits a level"),
        (0xC3, 8, "is coded without loss"),
        (0xC9, 8, "is coded arithmetically"),
        (0xCA, 8, "is coded arithmetically"),
        (0xC5, 8, "is coded in layers"),
    ],
)
def test_a_jpeg_that_browsers_do_not_show_is_named(marker: int, bits: int, kind: str) -> None:
    """A JPEG of 12 bits, for one, is not called damaged: it is told what it is, and that it is not supported."""
    data = encoded(FULL, "JPEG")
    at = data.index(b"\xff\xc0")
    assert f"it is a JPEG picture that {kind}" in reason(
        data[:at] + bytes([0xFF, marker, 0, 17, bits]) + data[at + 5 :]
    )
