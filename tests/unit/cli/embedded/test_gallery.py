"""The pictures of the demo and of the benchmarks, and the server that hands them out."""

import http.client
import io

from PIL import Image

from animoto.landscapes import landscape_jpeg
from cli.embedded.gallery import gallery


def test_landscapes_are_photographs() -> None:
    """A number draws the same picture again, as large as a photograph's file; another number draws another."""
    first = landscape_jpeg(0, "1")
    assert first == landscape_jpeg(0, "1")
    assert first != landscape_jpeg(1, "1")
    assert 400_000 < len(first) < 600_000
    assert Image.open(io.BytesIO(first)).size == (1920, 1080)


def test_a_gallery_hands_out_its_pictures() -> None:
    """One connection gets picture after picture, and is told of a name that there is not."""
    with gallery({"a/1.jpg": b"one", "2.jpg": b"two"}.get) as url:
        host = url.removeprefix("http://").removesuffix("/")
        connection = http.client.HTTPConnection(host, timeout=10)
        answers = []
        for name in ("a/1.jpg", "3.jpg", "2.jpg"):
            connection.request("GET", f"/{name}")
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
        connection.close()
    assert answers == [(200, b"one"), (404, b""), (200, b"two")]
