"""Names what came instead of a picture, from its first bytes."""

_BEGINNINGS = {
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    b"<head": "a web page (HTML)",
    b"<body": "a web page (HTML)",
    b"<svg": "a drawing (SVG)",
    b"<?xml": "XML",
    b"{": "JSON",
    b"[": "JSON",
    b"%pdf-": "a PDF document",
    b"pk\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip-compressed",
    b"ii*\0": "a TIFF picture",
    b"mm\0*": "a TIFF picture",
}
_BRANDS = {b"heic": "a HEIC picture", b"heix": "a HEIC picture", b"mif1": "a HEIF picture"}


def describe_non_picture(data: bytes) -> str:
    """The reason why these bytes are no picture that can be read."""
    if not data:
        return "it is empty"
    return f"it is {_kind(data)}, and pictures are read from {READABLE}"


READABLE = "JPEG, PNG, WebP, GIF, AVIF and BMP"


def _kind(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "a video")
    text = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginning, kind in _BEGINNINGS.items():
        if text.startswith(beginning):
            return "a drawing (SVG)" if kind == "XML" and b"<svg" in text else kind
    return "damaged from its start, or something else"
