"""Rewrites the head of an HTTP answer, so that a strict parser takes what curl and browsers take.

Kept are the few headers that a download needs. So no other header can be too long, too many or wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_HEAD_BYTES = 256 * 1024
"""As in Chromium: https://chromium.googlesource.com/chromium/src/+/main/net/http/http_stream_parser.h"""
HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/(\d)(?:\.(\d))?[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)", re.DOTALL)
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]+")
_KEPT = frozenset({b"location", b"content-encoding", b"set-cookie", b"retry-after", b"date", b"connection"})
_MAX_VALUE_BYTES = 64 * 1024
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Head:
    """A rewritten head; body_bytes is how long its body is, None where only its end tells."""

    raw: bytes
    body_bytes: int | None
    is_interim: bool
    """Whether another head follows, that of the answer itself (1xx)."""


def rewrite_head(raw: bytes) -> Head | None:
    """Rewrite a head without its blank line; None if it is none of HTTP."""
    first, *lines = _unfold(raw)
    status = _STATUS.match(first)
    if status is None:
        return None
    code, version = int(status[3]), b"1.0" if (status[1], status[2]) == (b"1", b"0") else b"1.1"
    headers = list(_headers(lines))
    codings = _tokens(headers, b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name in _KEPT and len(value) <= _MAX_VALUE_BYTES]
    kept += [(b"content-encoding", coding) for coding in codings if coding not in {b"chunked", b"identity"}]
    body_bytes: int | None = None
    if b"chunked" in codings:
        kept.append((b"transfer-encoding", b"chunked"))
    else:
        lengths = sorted(set(_tokens(headers, b"content-length")))
        lengths = [length for length in lengths if length.isdigit()]
        kept += [(b"content-length", length) for length in lengths]  # that two differ, the parser says
        body_bytes = int(lengths[0]) if len(lengths) == 1 else None
    text = [b"HTTP/" + version + b" " + status[3] + b" -", *(name + b": " + value for name, value in kept)]
    if code in _WITHOUT_BODY:
        body_bytes = 0
    return Head(b"\r\n".join([*text, b"", b""]), body_bytes, 100 <= code < 200 and code != 101)


def _unfold(raw: bytes) -> list[bytes]:
    """The lines; one that begins with a blank goes on the line before (RFC 9112, 5.2)."""
    lines: list[bytes] = []
    for line in re.split(rb"\r?\n", raw.lstrip(b"\r\n")):
        if lines[1:] and line[:1] in {b" ", b"\t"}:
            lines[-1] += b" " + line.strip()
        else:
            lines.append(line)
    return lines


def _headers(lines: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Names in small letters, and values; a line that is no header is passed over."""
    for line in lines:
        if header := _HEADER.fullmatch(line):
            yield header[1].lower(), _CONTROLS.sub(b"", header[2].strip())


def _tokens(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [part.strip().lower() for name, value in headers if name == wanted for part in value.split(b",")]
