"""Names what came instead of a picture, from its first bytes."""

READABLE = "JPEG, PNG, WebP, GIF, AVIF and BMP"
_HEAD_BYTES = 4096
_BEGINNINGS = {
    b"\xff\xd8\xff": "damaged from its start",
    b"\x89PNG": "damaged from its start",
    b"GIF8": "damaged from its start",
    b"BM": "a BMP picture of a kind that is not supported, or damaged",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"II+\0": "a TIFF picture",
    b"MM\0+": "a TIFF picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL picture",
    b"\0\0\0\x0cjP  \r\n\x87\n": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\0\0\1\0": "an icon (ICO)",
    b"\0\0\2\0": "a cursor (CUR)",
    b"8BPS": "a Photoshop document (PSD)",
    b"gimp xcf": "a GIMP document (XCF)",
    b"DDS ": "a DDS texture",
    b"qoif": "a QOI picture",
    b"\x76\x2f\x31\x01": "an OpenEXR picture",
    b"#?RADIANCE": "a Radiance HDR picture",
    b"SIMPLE  =": "a FITS picture",
    b"II\xbc\x01": "a JPEG XR picture",
    b"AT&TFORM": "a DjVu document",
    b"FUJIFILMCCD-RAW": "a camera's raw picture (RAF)",
    b"%PDF-": "a PDF document",
    b"%!PS": "a PostScript document",
    b"\xc5\xd0\xd3\xc6": "a PostScript document",
    b"\xd7\xcd\xc6\x9a": "a drawing (WMF)",
    b"\1\0\0\0": "a drawing (EMF), or something else",
    b"PK\x03\x04": "a ZIP archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b": "gzip-compressed",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ\0": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"\x1aE\xdf\xa3": "a video",
    b"FLV\x01": "a video",
    b"\0\0\1\xba": "a video",
    b"ID3": "sound",
    b"OggS": "sound, or a video",
    b"fLaC": "sound",
    b"\x7fELF": "a program",
    b"MZ": "a program, or something else",
}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "a HEIC picture"),
    **dict.fromkeys((b"mif1", b"msf1"), "a HEIF picture"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture that is damaged"),
    b"crx ": "a camera's raw picture (CR3)",
    b"jp2 ": "a JPEG 2000 picture",
    b"jxl ": "a JPEG XL picture",
}
_RIFFS = {b"WEBP": "a WebP picture that is damaged", b"WAVE": "sound", b"AVI ": "a video"}
_NETPBM = b"1234567fF"
"""The second letters of the formats of Netpbm, each after a P."""
_TAGS = {
    b"<svg": "a drawing (SVG)",
    b"<!doctype svg": "a drawing (SVG)",
    b"<html": "a web page (HTML)",
    b"<!doctype html": "a web page (HTML)",
    b"<head": "a web page (HTML)",
    b"<body": "a web page (HTML)",
    b"<title": "a web page (HTML)",
    b"<script": "a web page (HTML)",
    b"<?xml": "XML",
}


def describe_non_picture(data: bytes) -> str:
    """The reason why these bytes are no picture that can be read."""
    if not data:
        return "it is empty"
    return f"it is {_kind(data[:_HEAD_BYTES])}, and pictures are read from {READABLE}"


def _kind(head: bytes) -> str:
    kind = _container(head) or next((kind for start, kind in _BEGINNINGS.items() if head.startswith(start)), None)
    return kind or _text(head) or "damaged from its start, or something else"


def _container(head: bytes) -> str | None:
    """What lies in a container that holds many kinds, by its brand."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video")
    if head.startswith(b"RIFF"):
        return _RIFFS.get(head[8:12])
    if head[:1] == b"P" and head[1:2] in _NETPBM and head[2:3].isspace():
        return "a Netpbm picture (PBM, PGM, PPM, PAM)"
    return None


def _text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        return next((kind for tag, kind in _TAGS.items() if tag in text), None)
    if text.startswith((b"{", b"[")):
        return "JSON"
    try:
        readable = head.decode()
    except UnicodeDecodeError:
        return None
    return "text" if all(character.isprintable() or character.isspace() for character in readable) else None
