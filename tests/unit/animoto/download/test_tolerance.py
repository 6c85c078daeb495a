"""Answers that curl and browsers accept are accepted, and trouble is told in the right words."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.addresses import Addresses
from animoto.download.http_head import rewrite_head
from animoto.download.redirects import clean_location
from tests.support.servers.picture_server import PictureServer, picture_server, raw, redirect, status, whole
from tests.support.worlds.fetching import PICTURE, QUICK, broken, data, fetch

LENGTH = b"Content-Length: %d\r\n" % len(PICTURE)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        yield served


def _answer(*headers: bytes, body: bytes = PICTURE, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([first, *headers, b"", body])


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


LONG = b"X-Policy: " + b"a" * 60_000
PACKED = gzip.compress(PICTURE)
CHUNKED = b"800\r\n" + PICTURE + b"\r\n0\r\n\r\n"
ACCEPTED = {
    "a header of 60 KB": _answer(LONG),
    "200 KB of headers": _answer(*[LONG] * 3),
    "1,000 headers": _answer(*(b"X-%d: y" % n for n in range(1_000))),
    "a cookie of 20 KB": _answer(b"Set-Cookie: a=" + b"b" * 20_000),
    "encoding none": _answer(b"Content-Encoding: none"),
    "encoding utf-8": _answer(b"Content-Encoding: UTF-8"),
    "encoding aws-chunked": _answer(b"Content-Encoding: aws-chunked"),
    "encoding empty": _answer(b"Content-Encoding:"),
    "encoding binary, identity": _answer(b"Content-Encoding: binary, identity"),
    "gzip": _answer(b"Content-Encoding: gzip", body=PACKED),
    "gzip with its length": _answer(b"Content-Encoding: gzip", b"Content-Length: %d" % len(PACKED), body=PACKED),
    "x-gzip": _answer(b"Content-Encoding: X-GZip", body=PACKED),
    "gzip twice": _answer(b"Content-Encoding: gzip, gzip", body=gzip.compress(PACKED)),
    "gzip in two headers": _answer(b"Content-Encoding: gzip", b"Content-Encoding: gzip", body=gzip.compress(PACKED)),
    "gzip of two members": _answer(
        b"Content-Encoding: gzip", body=gzip.compress(PICTURE[:99]) + gzip.compress(PICTURE[99:])
    ),
    "gzip with padding": _answer(b"Content-Encoding: gzip", body=PACKED + bytes(99)),
    "gzip that is none": _answer(b"Content-Encoding: gzip"),
    "deflate": _answer(b"Content-Encoding: deflate", body=zlib.compress(PICTURE)),
    "deflate without zlib's header": _answer(b"Content-Encoding: deflate", body=_raw_deflate(PICTURE)),
    "gzip as a transfer coding": _answer(
        b"Transfer-Encoding: gzip, chunked", body=b"%x\r\n" % len(PACKED) + PACKED + b"\r\n0\r\n\r\n"
    ),
    "chunks": _answer(b"Transfer-Encoding: chunked", body=CHUNKED),
    "chunks with a length": _answer(LENGTH.strip(), b"Transfer-Encoding: chunked", body=CHUNKED),
    "chunks with extensions and trailers": _answer(
        b"Transfer-Encoding: Chunked", body=b"800;a=b\r\n" + PICTURE + b"\r\n0\r\nX-Sum: 1\r\n\r\n"
    ),
    "transfer coding identity": _answer(b"Transfer-Encoding: identity"),
    "the same length twice": _answer(LENGTH.strip(), LENGTH.strip()),
    "the same length in a list": _answer(b"Content-Length: 2048, 2048"),
    "a length that is no number": _answer(b"Content-Length: unknown"),
    "a negative length": _answer(b"Content-Length: -1"),
    "no length": _answer(),
    "more bytes than its length": _answer(LENGTH.strip(), body=PICTURE + b"\r\n"),
    "203": _answer(first=b"HTTP/1.1 203 Non-Authoritative Information"),
    "201": _answer(first=b"HTTP/1.1 201 Created"),
    "HTTP/1.0": _answer(first=b"HTTP/1.0 200 OK"),
    "no reason": _answer(first=b"HTTP/1.1 200"),
    "a reason in other letters": _answer(first="HTTP/1.1 200 Größe".encode("latin-1")),
    "two blanks in the first line": _answer(first=b"HTTP/1.1  200  OK"),
    "small letters in the first line": _answer(first=b"http/1.1 200 ok"),
    "blank lines before": b"\r\n\r\n" + _answer(),
    "line ends without CR": _answer(b"A: b", LENGTH.strip()).replace(b"\r\n", b"\n"),
    "a header over two lines": _answer(b"X-Long: a", b"\tb"),
    "a line that is no header": _answer(b"this is no header", b": nor this", b"X Y: z"),
    "a blank before the colon": _answer(b"Content-Length : 2048"),
    "control characters in a header": _answer(b"X-A: \x01\x02\x7f", b"Content-Encoding: \x00none"),
    "other letters in a header": _answer("X-Größe: ü".encode("latin-1"), "X-A: ü".encode()),
    "no type": _answer(b"Server: x"),
    "a wrong type": _answer(b"Content-Type: text/html; charset=utf-8"),
    "a type that is none": _answer(b"Content-Type: ;;;"),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(),
    "early hints first": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 3 + _answer(),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_answers_that_browsers_accept_are_accepted(server: PictureServer, name: str) -> None:
    """Headers that are long, odd, repeated or wrong do not keep a picture from being fetched, at the first try."""
    assert data(fetch(server.serve("a.jpg", raw(ACCEPTED[name])))[0]) == PICTURE
    assert len(server.asked) == 1


def test_an_answer_may_come_byte_by_byte(server: PictureServer) -> None:
    """A head that is cut anywhere is put together again; connections are kept."""

    async def answer(_: object, writer: object) -> None:
        for byte in b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok":
            writer.write(bytes([byte]))  # type: ignore[attr-defined]
            await writer.drain()  # type: ignore[attr-defined]

    urls = [server.serve(f"{n}.jpg", answer) for n in range(3)]
    assert [data(d) for d in fetch(*urls, limits=replace(QUICK, connections=1))] == [b"ok"] * 3
    assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_answer(b"Content-Length: 2048", b"Content-Length: 7"), "the server's answer is not HTTP, 4 times"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the server's answer is not HTTP, 4 times"),
        (_answer(*[LONG] * 5), "the server's answer is not HTTP, 4 times"),
        (_answer(b"Content-Encoding: gzip", body=PACKED[:-20]), "its compressed body ends too early, 4 times"),
        (_answer(b"Content-Encoding: gzip", body=PACKED[:20] + b"!" * 40), "its compressed body is damaged"),
        (_answer(b"Content-Encoding: br"), "the server sent it compressed ('br'), which was not asked for"),
        (_answer(b"Content-Encoding: gzip, zstd"), "the server sent it compressed ('zstd'), which was not asked for"),
        (_answer(first=b"HTTP/1.1 206 Partial"), "the server answered 206 Partial Content"),
        (b"", "the connection broke off, 4 times"),
        (b"HTTP/1.1 200 OK\r\nContent-", "the connection broke off, 4 times"),
    ],
)
def test_what_browsers_refuse_is_told(server: PictureServer, answer: bytes, reason: str) -> None:
    """What is no answer of HTTP, or no whole body, is told as what it is."""
    assert broken(fetch(server.serve("a.jpg", raw(answer)))[0]).reason == reason


def test_a_bomb_in_gzip_ends_at_the_limit(server: PictureServer) -> None:
    """A body that unpacks beyond the limit is not unpacked further."""
    bomb = whole(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip\r\n")
    found = broken(fetch(server.serve("a.jpg", bomb), limits=replace(QUICK, picture_bytes=1_000_000))[0])
    assert found.reason == "it is larger than 1,000,000 bytes, the most that is fetched"


@pytest.mark.parametrize(
    "target",
    [
        "/a picture.jpg",
        "  /a%20picture.jpg\t",
        "/a\tpicture.jpg".replace("\t", "%20"),
        "\\a picture.jpg",
        "a picture.jpg#part",
        "./b/../a picture.jpg",
    ],
)
def test_odd_locations_are_followed(server: PictureServer, target: str) -> None:
    """Blanks, backslashes, fragments and relative paths lead where they lead in a browser."""
    server.serve("a%20picture.jpg", PICTURE)
    server.serve("start.jpg", redirect(target), PICTURE)
    assert data(fetch(server.url("start.jpg"))[0]) == PICTURE
    assert len(server.asked) == 2


def test_letters_in_a_location_are_escaped_as_they_are(server: PictureServer) -> None:
    """Raw bytes of UTF-8, and of other codings, arrive as they were sent."""
    server.serve("gr%C3%BC%C3%9Fe.jpg", PICTURE)
    server.serve("gr%FC%DFe.jpg", PICTURE)
    for coding in ("utf-8", "latin-1"):
        answer = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /" + "grüße.jpg".encode(coding) + b"\r\n\r\n"
        assert data(fetch(server.serve(f"{coding}.jpg", raw(answer)))[0]) == PICTURE


@pytest.mark.parametrize("code", [300, 301, 302, 303, 307, 308])
def test_twenty_redirects_are_followed(server: PictureServer, code: int) -> None:
    """As many as browsers follow, of each kind."""
    server.serve("hop0", PICTURE)
    for hop in range(1, 21):
        server.serve(f"hop{hop}", status(f"{code} X", f"Location: hop{hop - 1}\r\n"))
    assert data(fetch(server.url("hop20"))[0]) == PICTURE
    server.serve("hop21", status(f"{code} X", "Location: hop20\r\n"))
    assert broken(fetch(server.url("hop21"))[0]).reason == "it redirects more than 20 times"


def test_a_cookie_opens_the_door_behind_a_redirect(server: PictureServer) -> None:
    """What a redirect sets is told to where it leads, on the same host, and to no other download."""
    server.serve("in.jpg", status("302 X", "Location: /in.jpg\r\nSet-Cookie: seen=yes; Path=/\r\n"), PICTURE)
    server.serve("other.jpg", PICTURE)
    assert [data(d) for d in fetch(server.url("in.jpg"), server.url("other.jpg"))] == [PICTURE] * 2
    cookies = dict(zip(server.asked, (head.get("cookie") for head in server.headers), strict=True))
    assert cookies == {"/in.jpg": "seen=yes", "/other.jpg": None}


def test_every_redirect_is_checked_where_it_connects(server: PictureServer) -> None:
    """However odd a location is written, an address that is not allowed is not connected to."""
    only = Addresses.parse("127.0.0.1/32")
    for target in ("http://127.0.0.2:1/a b", "\\\\127.0.0.2\\a", "//127.0.0.2/", "http:\\\\[::1]\\a", "HTTP://0/"):
        found = broken(fetch(server.serve("a.jpg", redirect(target)), addresses=only)[0])
        assert "not allowed here" in found.reason or "no URL" in found.reason, (target, found.reason)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_none(noise: bytes) -> None:
    """Whatever comes for a head, it is rewritten into one that is well formed, or refused."""
    head = rewrite_head(b"HTTP/1.1 200 OK\r\n" + noise)
    assert head is not None
    assert b"\0" not in head.raw
    assert head.raw.endswith(b"\r\n\r\n")
    rewrite_head(noise)


@given(st.text(max_size=60))
def test_any_location_can_be_cleaned(location: str) -> None:
    """A clean location has no blanks and no control characters."""
    cleaned = clean_location(location.encode("utf-8", "ignore").decode())
    assert not any(character.isspace() or ord(character) < 32 for character in cleaned)
