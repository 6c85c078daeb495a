"""A server that asks to be left alone is told of as such, within the deadline."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from animoto.download.retry_after import retry_after_s
from tests.support.servers.picture_server import PictureServer, hang, picture_server, status, whole
from tests.support.worlds.fetching import PICTURE, QUICK, Pauses, broken, fetch


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        yield served


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1),
        ("0", 0),
        ("86400", 86_400),
        ("999999999999", 999_999_999_999),
        ("Sat, 28 Nov 2026 10:00:30 GMT", 30),
        ("Sat, 28 Nov 2026 13:00:00 +0100", 7_200),
        ("Saturday, 28-Nov-26 10:01:00 GMT", 60),
        ("Sat Nov 28 10:00:09 2026", 9),
        ("Sat, 28 Nov 2020 10:00:00 GMT", 0),
        ("-5", 0),
        ("soon", 0),
        ("", 0),
        ("9" * 400, 0),
        ("Sat, 99 Nov 9999999 10:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(header: str, wait_s: float) -> None:
    """Seconds and dates are read; what is neither, or is over, asks for no wait."""
    assert retry_after_s(header, datetime(2026, 11, 28, 10, tzinfo=UTC)) == wait_s


@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("after", ["120", "86400", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_wait_beyond_the_deadline_ends_at_once_with_its_reason(server: PictureServer, line: str, after: str) -> None:
    """A slot does not wait for a minute only to forget why: the answer is told, and that another try may go better."""
    pauses = Pauses()
    found = broken(fetch(server.serve("a.jpg", status(line, f"Retry-After: {after}\r\n")), pause=pauses)[0])
    assert found.reason.startswith(f"the server answered {line} and asks to wait ")
    assert found.reason.endswith(" s; a URL has 20 s in all")
    assert found.temporary
    assert not pauses.lengths_s
    assert len(server.asked) == 1


@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable", "408 Request Timeout"])
@pytest.mark.parametrize("after", ["", "Retry-After: soon\r\n", "Retry-After: -3\r\n", "Retry-After: 0\r\n"])
def test_without_a_time_to_wait_the_usual_backoff_holds(server: PictureServer, line: str, after: str) -> None:
    """Junk for a time is no time, and the answer stays the reason."""
    found = broken(fetch(server.serve("a.jpg", status(line, after)))[0])
    assert found.reason == f"the server answered {line}, 4 times"
    assert found.temporary


def test_a_date_counts_from_the_servers_own_clock(server: PictureServer) -> None:
    """Whatever this machine's clock says, the wait is what the server meant."""
    pauses = Pauses()
    dates = "Date: Mon, 01 Jan 2001 00:00:00 GMT\r\nRetry-After: Mon, 01 Jan 2001 00:00:05 GMT\r\n"
    fetch(server.serve("a.jpg", status("503 X", dates), whole(PICTURE)), pause=pauses)
    assert pauses.lengths_s == [5]


def test_a_deadline_tells_what_went_wrong_before(server: PictureServer) -> None:
    """Who runs out of time in a later try tells of the earlier ones."""
    url = server.serve("a.jpg", status("503 X"), hang)
    found = broken(fetch(url, limits=replace(QUICK, total_s=1.5))[0])
    assert found.reason == "it did not arrive within 1.5 s; before that, the server answered 503 Service Unavailable"
