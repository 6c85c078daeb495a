import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from animoto.addresses import Addresses
from animoto.download.background import downloads
from animoto.download.memory_budget import MemoryBudget
from animoto.fetch import Fetcher, Limits, _DownloadRun, _Readers
from animoto.picture.broken import Broken
from cloudkon.backoff import Backoff
from tests.support.servers.picture_server import (
    Answer,
    PictureServer,
    flood,
    hang,
    late,
    picture_server,
    redirect,
    reset,
    status,
    whole,
)
from tests.support.worlds.fetching import LOOPBACK, PICTURE, QUICK, Pauses, broken, data, fetch


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with picture_server() as served:
        yield served


def test_a_late_picture_is_handed_over_in_its_place(server: PictureServer) -> None:
    """What comes late is still handed over in its place."""
    urls = [server.serve(f"{n}.jpg", late(whole(b"%d" % n), 0.02 * (n % 3 == 0))) for n in range(40)]
    got = fetch(*urls, limits=replace(QUICK, ahead=8))
    assert [(d.index, data(d)) for d in got] == [(n, b"%d" % n) for n in range(40)]


def test_many_at_once(server: PictureServer) -> None:
    """Sixty pictures share sixteen connections, all of them busy, that are kept alive."""
    all_busy = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.busy == 16:
            all_busy.set()
        await all_busy.wait()
        await late(whole(PICTURE), 0.04)(reader, writer)

    urls = [server.serve(f"{n}.jpg", answer) for n in range(60)]
    assert [data(d) for d in fetch(*urls)] == [PICTURE] * 60
    assert server.busiest == 16
    assert server.connections == 16
    assert {head["accept-encoding"] for head in server.headers} == {"identity"}


def test_only_so_many_pictures_are_fetched_ahead(server: PictureServer) -> None:
    """No more than so many pictures are fetched before the one whose turn it is was taken."""
    third, asked = asyncio.Event(), []

    async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await third.wait()
        await asyncio.sleep(0.02)  # in which more would be asked for
        asked.extend(server.asked)
        await whole(PICTURE)(reader, writer)

    async def last(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        third.set()
        await whole(PICTURE)(reader, writer)

    answers: list[Answer | bytes] = [first, PICTURE, PICTURE, last, *[PICTURE] * 5]
    urls = [server.serve(f"{n}.jpg", answer) for n, answer in enumerate(answers)]
    assert [data(d) for d in fetch(*urls, limits=replace(QUICK, ahead=3))] == [PICTURE] * 9
    assert sorted(asked) == ["/0.jpg", "/1.jpg", "/2.jpg", "/3.jpg"]


def test_pictures_wait_for_memory_and_give_all_of_it_back(
    server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures that find no room wait for their turn, all arrive, and all room is given back, of broken ones too."""
    budgets: list[MemoryBudget] = []

    class Seen(MemoryBudget):
        def __init__(self, size_bytes: int) -> None:
            super().__init__(size_bytes)
            budgets.append(self)

    monkeypatch.setattr("animoto.fetch.MemoryBudget", Seen)
    body = PICTURE * 100
    answers: list[tuple[Answer | bytes, ...]] = [(reset, body), (reset,), *[(body,)] * 10]
    urls = [server.serve(f"{n}.jpg", *answer) for n, answer in enumerate(answers)]
    first, second, *others = fetch(*urls, limits=replace(QUICK, ahead_bytes=1))
    assert [data(d) for d in (first, *others)] == [body] * 11
    assert isinstance(second, Broken)
    assert [budget._held_bytes for budget in budgets] == [0]


def test_a_deadline_stands_still_while_a_picture_waits_for_memory() -> None:
    """A deadline stands still while a picture finds no room: that is not the server's fault."""

    async def go() -> None:
        run = _DownloadRun(replace(QUICK, ahead_bytes=1), Backoff(), Pauses(), _Readers(None, None))  # type: ignore[arg-type]
        async with asyncio.timeout(60) as deadline:
            waiting = asyncio.create_task(run._reserve(1, 10, deadline))
            await asyncio.sleep(0)
            assert deadline.when() is None
            run.budget.set_turn(1)
            await waiting
            ends_s = deadline.when()
            assert ends_s is not None
            assert 0 < ends_s - asyncio.get_running_loop().time() <= 60

    asyncio.run(go())


def test_no_cookie_is_sent_with_the_next_request(server: PictureServer) -> None:
    """Nothing that one answer says is told with the next request."""
    url = server.serve("a.jpg", whole(PICTURE, "Set-Cookie: a=b\r\n")).replace("127.0.0.1", "localhost")
    assert [data(d) for d in fetch(url, url, limits=replace(QUICK, connections=1))] == [PICTURE] * 2
    assert not any("cookie" in headers for headers in server.headers)


def test_the_rest_is_given_up_when_the_caller_leaves(server: PictureServer) -> None:
    """Whoever has seen enough leaves, and the rest is given up."""
    urls = [server.serve("0.jpg", PICTURE), server.serve("1.jpg", hang)]
    with downloads(Fetcher(LOOPBACK, QUICK, Backoff()), urls) as found:
        assert data(next(found)) == PICTURE


@pytest.mark.parametrize("answer", [status("500 Oops"), status("503 Busy"), status("429 Slow down"), reset])
def test_a_passing_error_is_retried_with_backoff_and_jitter(server: PictureServer, answer: Any) -> None:
    """What may go better is tried again, after a random part of a bound that doubles."""
    pauses = Pauses()
    assert data(fetch(server.serve("a.jpg", answer, answer, whole(PICTURE)), pause=pauses)[0]) == PICTURE
    expected = random.Random(7)
    assert pauses.lengths_s == [expected.uniform(0, 0.1), expected.uniform(0, 0.2)]


def test_a_server_that_stays_broken_is_given_up_for_now(server: PictureServer) -> None:
    """A server that stays broken is given up, as something that may be better later."""
    found = broken(fetch(server.serve("a.jpg", status("500 Oops")))[0])
    assert found.reason == "the server answered 500 Internal Server Error, 4 times"
    assert found.temporary
    assert len(server.asked) == 4


def test_a_server_is_not_asked_before_its_retry_after(server: PictureServer) -> None:
    """A server that says when to come again is not asked before."""
    pauses = Pauses()
    fetch(server.serve("a.jpg", status("503 Busy", "Retry-After: 3\r\n"), whole(PICTURE)), pause=pauses)
    assert pauses.lengths_s == [3]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status("404 Nope"), "the server answered 404 Not Found"),
        (status("204 Empty"), "the server answered 204 No Content"),
        (status("799 What"), "the server answered 799"),
        (status("302 Found"), "the server answered 302 Found without a place to go on to"),
        (whole(PICTURE, "Content-Encoding: br\r\n"), "sent it compressed ('br')"),
        (whole(b"", length=10**9), "it is larger than 33,554,432 bytes"),
        (redirect("ftp://127.0.0.1/a"), "nothing can be fetched: only http, https and s3 URLs can be fetched, not ftp"),
        (redirect("s3://bucket/key"), "nothing can be fetched"),
        (redirect("file:///etc/passwd"), "nothing can be fetched"),
        (redirect("http://169.254.169.254/latest/meta-data"), "169.254.169.254 is not a public one (link-local"),
        (redirect("http://[::ffff:127.0.0.1]/"), "::ffff:127.0.0.1 is not a public one (IPv4 in disguise)"),
        (redirect("http://2130706434:1/"), "this is no URL"),
        (redirect("/a.jpg"), "it redirects more than 20 times"),
    ],
)
def test_a_lasting_error_is_tried_once_and_told(server: PictureServer, answer: Any, reason: str) -> None:
    """What will not go better is tried once, and the reason is told."""
    addresses = Addresses.parse("127.0.0.1/32")
    found = broken(fetch(server.serve("a.jpg", answer), addresses=addresses)[0])
    assert reason in found.reason
    assert found.url == server.url("a.jpg")
    assert not found.temporary
    assert len(server.asked) == (21 if "more than" in reason and "times" in reason else 1)


@pytest.mark.parametrize(
    ("answer", "limits", "reason"),
    [
        (flood(b"x", 0.01), replace(QUICK, total_s=0.2), "it did not arrive within 0.2 s"),
        (hang, replace(QUICK, silence_s=0.05, tries=2), "the server fell silent, 2 times"),
        (whole(PICTURE, length=10_000), QUICK, "the connection broke off, 4 times"),
        (reset, QUICK, "the connection broke off, 4 times"),
    ],
)
def test_a_body_that_never_ends_whole_is_no_picture_yet(
    server: PictureServer, answer: Any, limits: Limits, reason: str
) -> None:
    """A body that never comes to its end is no picture, but may be one later."""
    found = broken(fetch(server.serve("a.jpg", answer), limits=limits)[0])
    assert (found.reason, found.temporary) == (reason, True)


def test_a_body_without_an_end_is_cut_off(server: PictureServer) -> None:
    """A body without an end is cut off at the most that a picture may have."""
    found = broken(fetch(server.serve("a.jpg", flood(PICTURE, 0)), limits=replace(QUICK, picture_bytes=100_000))[0])
    assert found.reason == "it is larger than 100,000 bytes, the most that is fetched"


def test_redirects_are_followed_relative_and_absolute(server: PictureServer) -> None:
    """Redirects are followed, relative and absolute."""
    server.serve("c.jpg", PICTURE)
    server.serve("b.jpg", redirect(server.url("c.jpg")))
    assert data(fetch(server.serve("a.jpg", redirect("b.jpg")))[0]) == PICTURE


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.0.0.1", "[::ffff:7f00:1]"])
def test_loopback_is_not_connected_to_in_any_spelling(server: PictureServer, host: str) -> None:
    """A host that is this machine, in whatever spelling, is not connected to unless that is allowed."""
    url = server.serve("a.jpg", PICTURE).replace("127.0.0.1", host)
    assert "not a public one" in broken(fetch(url, addresses=Addresses())[0]).reason
    assert server.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0177.0.0.1", "127.0.0.1%00.org"])
def test_numbers_that_only_some_read_as_addresses_are_refused(server: PictureServer, host: str) -> None:
    """Numbers that only some take for an address are none."""
    url = server.serve("a.jpg", PICTURE).replace("127.0.0.1", host)
    assert isinstance(fetch(url)[0], Broken)
    assert server.connections == 0


def test_the_connected_address_is_checked_before_a_request(server: PictureServer) -> None:
    """Where a socket really leads is looked at once more when it is connected, before anything is asked."""
    looks: list[str] = []

    class Turncoat(Addresses):
        def refusal(self, address: str) -> str | None:
            looks.append(address)
            return None if len(looks) == 1 else "moved"

    found = broken(fetch(server.serve("a.jpg", PICTURE), addresses=Turncoat())[0])
    assert "127.0.0.1 is not a public one (moved)" in found.reason
    assert looks[:2] == ["127.0.0.1"] * 2
    assert server.asked == []


def test_an_unreachable_server_may_be_there_later(server: PictureServer) -> None:
    """A port that nobody listens on, and a name that nobody has, may be there later."""
    closed = PictureServer(port=1).url("a.jpg")
    first, second = fetch(closed, "http://no-such-host.invalid/a.jpg")
    assert "could not be reached" in broken(first).reason
    assert broken(second).reason == "the host's name can't be resolved, 4 times"


def test_no_error_tells_a_password_or_a_signature(server: PictureServer) -> None:
    """Neither a password nor a signature is told, whatever goes wrong."""
    url = server.url("a.jpg?X-Signature=SECRET#SECRET").replace("http://", "http://me:SECRET@")
    server.serve("a.jpg", status("404 Nope"), redirect("http://SECRET@169.254.169.254/?SECRET"), reset)
    for found in [fetch(url)[0] for _ in range(3)]:
        assert "SECRET" not in str(found) + repr(found)
        assert server.url("a.jpg?X-Signature=...") in str(found)


def test_a_signed_url_is_asked_for_as_it_was_written(server: PictureServer) -> None:
    """A URL is asked for as it was written, for a signature covers its spelling."""
    server.serve("a%2Fb%7e.jpg", PICTURE)
    assert data(fetch(server.url("a%2Fb%7e.jpg?sig=a%2Bb%2C+c"))[0]) == PICTURE
    assert server.asked == ["/a%2Fb%7e.jpg?sig=a%2Bb%2C+c"]
