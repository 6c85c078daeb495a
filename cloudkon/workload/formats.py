"""Tells from its first bytes what a file is that can't be a workload, and what to do with it."""

import codecs

HEAD_BYTES = 8 * 1024
"""How much of a file is looked at."""

_UTF16_ADVICE = (
    "is UTF-16 text, as PowerShell's > writes it; a workload is UTF-8. Convert it: "
    "iconv -f UTF-16 -t UTF-8 OLD > NEW, or in PowerShell: Get-Content OLD | Set-Content -Encoding utf8 NEW."
)
_UNPACK = "Unpack it, and give the text file in it, a task a line."
# Each is a magic number that no line of text begins with, and what it is called.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", f"is a ZIP archive (or an Office document, which is one). {_UNPACK}"),
    (b"PK\x05\x06", f"is an empty ZIP archive. {_UNPACK}"),
    (b"7z\xbc\xaf\x27\x1c", f"is a 7z archive. {_UNPACK}"),
    (b"Rar!\x1a\x07", f"is a RAR archive. {_UNPACK}"),
    (b"\xfd7zXZ\0", "is compressed by xz. Unpack it (xz -d), or compress it by gzip instead."),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd. Unpack it (zstd -d), or compress it by gzip instead."),
    (b"BZh91AY&SY", "is compressed by bzip2. Unpack it (bzip2 -d), or compress it by gzip instead."),
    (b"%PDF-", "is a PDF document. A workload is text, a task a line."),
    (b"SQLite format 3\0", "is an SQLite database. A workload is text, a task a line."),
)
_TAR_AT = 257
_BINARY = "is a binary file. A workload is text, a task a line, or such text gzipped."
_UTF16_SHARE = 0.3
"""With so many null bytes on one side of each pair, and next to none on the other, a text is UTF-16."""


def misfit(head: bytes) -> str | None:
    """What a file that begins so is, as the rest of a sentence about it; None if it may be a workload (unpacked)."""
    return known_misfit(head) or (_BINARY if b"\0" in head[:HEAD_BYTES] else None)


def known_misfit(head: bytes) -> str | None:
    """The same, of those formats only that can be named: in other files each line is judged by itself."""
    head = head[:HEAD_BYTES]
    for magic, told in _MAGIC:
        if head.startswith(magic):
            return told
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _UTF16_ADVICE.replace("UTF-16", "UTF-32").replace(", as PowerShell's > writes it", "")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _looks_like_utf16(head):
        return _UTF16_ADVICE
    if b"\0" in head and head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return f"is a tar archive. {_UNPACK}"
    return None


def _looks_like_utf16(head: bytes) -> bool:
    """Whether it is text in UTF-16 without a byte order mark, mostly of Latin letters."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    pairs = len(head) // 2
    return pairs > 1 and min(first, second) == 0 and max(first, second) > _UTF16_SHARE * pairs and _is_text(head)


def _is_text(head: bytes) -> bool:
    """Whether what is left without null bytes is printable."""
    return all(byte >= ord(" ") or byte in b"\t\r\n" for byte in head.replace(b"\0", b""))
