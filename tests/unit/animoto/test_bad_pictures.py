"""What becomes of a video for each kind of picture and of server, good and bad, through the handler."""

import io
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest
from av import VideoFrame
from PIL import Image, ImageOps

from animoto.fetch import Limits
from animoto.task import handler
from cloudkon.errors import TaskFailedError
from cloudkon.handlers.context import Context, enter, leave
from cloudkon.handlers.registry import Permanent
from cloudkon.ledger.bundle import BundleKey
from cloudkon.local.store import FolderStore
from tests.support.data.pixels import BLACK, BLUE, RED, WHITE, colour, corners, encoded, near, shown, stripes
from tests.support.servers.certificates import certificate, of_server, trusting
from tests.support.servers.picture_server import (
    Answer,
    PictureServer,
    flood,
    hang,
    picture_server,
    redirect,
    reset,
    status,
    whole,
)
from tests.unit.animoto.picture.test_pictures import png

WIDTH, HEIGHT = 160, 90
LIMITS = Limits(total_s=1.0, silence_s=0.2, picture_bytes=200_000, tries=2)
JPEG = encoded(corners(WIDTH, HEIGHT), "JPEG", quality=95, subsampling=0)
EXIF = Image.Exif()
EXIF[0x0112] = 6
ON_ITS_SIDE = Image.open(io.BytesIO(encoded(corners(HEIGHT, WIDTH), exif=EXIF)))


def seen_through(image: Image.Image) -> Image.Image:
    """A picture whose right half is transparent."""
    image = image.convert("RGBA")
    image.paste((*WHITE, 0), (image.width // 2, 0, image.width, image.height))
    return image


def over_black(image: Image.Image) -> Image.Image:
    black = Image.new("RGBA", image.size, (*BLACK, 255))
    black.alpha_composite(image)
    return black.convert("RGB")


WHOLE = corners(WIDTH, HEIGHT)
GOOD: dict[str, tuple[bytes, Image.Image]] = {
    "JPEG": (JPEG, WHOLE),
    "PNG": (encoded(WHOLE), WHOLE),
    "WebP": (encoded(WHOLE, "WEBP", lossless=True), WHOLE),
    "CMYK": (encoded(WHOLE.convert("CMYK"), "JPEG", quality=98), WHOLE),
    "grey": (encoded(WHOLE.convert("L"), "JPEG", quality=98), WHOLE.convert("L").convert("RGB")),
    "on its side": (encoded(corners(HEIGHT, WIDTH), exif=EXIF), ImageOps.exif_transpose(ON_ITS_SIDE)),
    "transparent": (encoded(seen_through(WHOLE)), over_black(seen_through(WHOLE))),
    "portrait": (encoded(corners(90, 160)), corners(90, 160)),
    "odd": (encoded(corners(333, 111)), corners(333, 111)),
    "large": (encoded(corners(1600, 900)), corners(1600, 900)),
}
NO_PICTURE = "it is a web page"
CUT_OFF = "it is damaged, or cut off before its end"
# What is answered, the reason that is told, and whether the task is tried again.
BAD: dict[str, tuple[tuple[Answer | bytes, ...], str, bool]] = {
    "cut off": ((JPEG[: len(JPEG) // 2],), CUT_OFF, False),
    "HTML": ((whole(b"<!DOCTYPE html><html>Sign in", "Content-Type: image/jpeg\r\n"),), NO_PICTURE, False),
    "empty": ((b"",), "it is empty", False),
    "too many bytes, announced": ((whole(b"", length=10**9),), "it is larger than 200,000 bytes", False),
    "too many bytes": ((flood(JPEG, 0),), "it is larger than 200,000 bytes", False),
    "too many pixels": ((png(60_000, 1_100, b""),), "it has 60000x1100 pixels; at most 64,000,000", False),
    "a slow drip": ((flood(b"x", 0.02),), "it did not arrive within 1 s", True),
    "silence": ((hang,), "the server fell silent, 2 times", True),
    "half a body": ((reset,), "the connection broke off, 2 times", True),
    "a redirect to private": ((redirect("http://10.1.2.3/a.jpg"),), "the address 10.1.2.3 is not a public one", False),
    "a redirect to credentials": ((redirect("http://169.254.169.254/latest/"),), "where clouds keep", False),
    "404": ((status("404 Gone"),), "the server answered 404 Not Found", False),
    "5xx": ((status("503 Busy"),), "the server answered 503 Service Unavailable, 2 times", True),
}
Make = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        served.serve("red.png", encoded(stripes(WIDTH, HEIGHT, RED)))
        served.serve("blue.png", encoded(stripes(WIDTH, HEIGHT, BLUE)))
        yield served


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Context]:
    token = enter(made := Context(BundleKey("job", 0, 0), 1, 0, FolderStore(tmp_path)))
    yield made
    leave(token)


@pytest.fixture
def make(here: Context, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr("cloudkon.backoff.Backoff.delay_s", lambda *_: 0.0)
    made: Make = handler("127.0.0.0/8", width=WIDTH, height=HEIGHT, limits=LIMITS)
    return made


def frames(here: Context, folder: Path) -> list[VideoFrame]:
    with av.open(str(folder / here.outputs[0])) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_picture_is_upright_whole_and_on_black(
    kind: str, make: Make, here: Context, server: PictureServer, tmp_path: Path
) -> None:
    """A picture of each kind is shown upright, whole, in its colours, on black where it does not fill the frame."""
    data, meant = GOOD[kind]
    told = make(images=[server.serve("good", data)], background="black")
    assert (told["pictures"], told["frames"]) == (1, 30)
    *_, frame = frames(here, tmp_path)
    fit = min(WIDTH / meant.width, HEIGHT / meant.height)
    for right, low in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        x, y = WIDTH / 2 + right * fit * meant.width / 4, HEIGHT / 2 + low * fit * meant.height / 4
        place = meant.width * (2 + right) // 4, meant.height * (2 + low) // 4
        assert near(shown(frame, round(x), round(y)), colour(meant, *place), 8), (right, low)
    for x, y in ((4, HEIGHT // 2), (WIDTH // 2, 3)):
        beside = abs(x - WIDTH / 2) > fit * meant.width / 2 + 2 or abs(y - HEIGHT / 2) > fit * meant.height / 2 + 2
        assert not beside or near(shown(frame, x, y), BLACK, 8)


def test_5xx_then_fine(make: Make, here: Context, server: PictureServer) -> None:
    """A server that recovers within a picture's tries costs nothing but the wait."""
    url = server.serve("recovers", status("503 Busy"), JPEG)
    assert make(url)["pictures"] == 1


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_fails_with_its_number_url_and_reason(
    kind: str, make: Make, here: Context, server: PictureServer
) -> None:
    """The error names the picture, its URL and the reason; it is for good, unless the server was to blame."""
    answers, reason, temporary = BAD[kind]
    url = server.serve(f"bad/{kind.replace(' ', '-')}", *answers)
    with pytest.raises(TaskFailedError) as failure:
        make(server.url("red.png"), url, server.url("blue.png"))
    assert str(failure.value).startswith(f"picture 2, {url}: ")
    assert reason in str(failure.value)
    assert isinstance(failure.value, Permanent) is not temporary
    assert here.outputs == ()


@pytest.mark.parametrize("kind", BAD)
def test_bad_is_skipped(kind: str, make: Make, here: Context, server: PictureServer, tmp_path: Path) -> None:
    """The video is of the others, in their order, and says which is missing; if none is left, the task fails."""
    answers, reason, temporary = BAD[kind]
    url = server.serve(f"skipped/{kind.replace(' ', '-')}", *answers)
    told = make(images=[server.url("red.png"), url, server.url("blue.png")], broken="skip")
    assert (told["pictures"], told["frames"], told["skipped"]) == (2, 60, 1)
    assert told["skipped_first"][0].startswith(f"picture 2, {url}: ")
    assert reason in told["skipped_first"][0]
    made = frames(here, tmp_path)
    assert near(shown(made[10], 80, 45), RED, 4)
    assert near(shown(made[40], 80, 45), BLUE, 4)
    stored = here.outputs
    with pytest.raises(TaskFailedError, match="none of the 1 pictures can be used") as failure:
        make(images=[url], broken="skip")
    assert reason in str(failure.value)
    assert isinstance(failure.value, Permanent) is not temporary
    assert here.outputs == stored


def test_a_private_address_is_not_connected_to(here: Context, server: PictureServer) -> None:
    """An address that is not allowed is not even connected to, and is a broken picture like any other."""
    make = handler("127.0.0.2/32", width=WIDTH, height=HEIGHT, limits=LIMITS)
    before = server.connections
    for url in (server.url("red.png"), "http://192.168.0.1/a.jpg", "http://[fd00::1]/a.jpg"):
        with pytest.raises(Permanent, match="is not a public one"):
            make(url)
    assert server.connections == before


def test_https_is_checked(here: Context, make: Make, tmp_path: Path) -> None:
    """Nobody's certificate, one that is over and another host's are refused and named; one that is trusted is taken."""
    good, other = certificate(tmp_path, "127.0.0.1"), certificate(tmp_path, "127.0.0.9")
    old = certificate(tmp_path, "127.0.0.1", days=-1)
    cases = [
        (good, None, "self-signed certificate"),
        (old, old, "certificate has expired"),
        (other, other, "IP address mismatch"),
        (good, other, "self-signed certificate"),
        (good, good, None),
    ]
    for own, trusted, reason in cases:
        tls = None if trusted is None else trusting(trusted)
        made = handler("127.0.0.0/8", width=WIDTH, height=HEIGHT, limits=LIMITS, tls=tls)
        with picture_server(of_server(own)) as served:
            url = served.serve("a.jpg", JPEG)
            assert url.startswith("https://")
            if reason is None:
                assert made(url)["pictures"] == 1
                continue
            with pytest.raises(Permanent) as failure:
                made(url)
            assert str(failure.value).startswith(f"picture 1, {url}: the server's certificate is not to be trusted: ")
            assert reason in str(failure.value)
            assert served.asked == []


def test_https_needs_tls(make: Make) -> None:
    """A server that answers in plain text where TLS was spoken is in trouble, and may be better later."""

    def answer_plainly(listener: socket.socket) -> None:
        for _ in range(LIMITS.tries):
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        answering = thread.submit(answer_plainly, listener)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/a.jpg"
        with pytest.raises(TaskFailedError, match="no secure connection to the server came about, 2 times") as failure:
            make(url)
        answering.result()
    assert not isinstance(failure.value, Permanent)
