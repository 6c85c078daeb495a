"""A name that leads elsewhere at each look at it (DNS rebinding) leads to no address that is not allowed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from animoto.addresses import Addresses
from tests.support.worlds.fetching import broken, fetch

PUBLIC, LOOPBACK = "127.0.0.2", "127.0.0.1"
"""The first stands for a public address: it is allowed, and on loopback all the same."""
ALLOWED = Addresses.parse(f"{PUBLIC}/32")


class ChangingResolver(AbstractResolver):
    """Answers with other addresses each time that it is asked; the last ones stay."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None: ...


@pytest.fixture
def secret() -> Iterator[socket.socket]:
    """A server that only this machine may reach."""
    with closing(socket.create_server((LOOPBACK, 0))) as listener:
        listener.setblocking(False)
        yield listener


@contextmanager
def redirecting(to: str) -> Iterator[int]:
    """A server at the public address that sends everybody elsewhere; yields its port."""
    with closing(socket.create_server((PUBLIC, 0))) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())

        server = threading.Thread(target=answer)
        server.start()
        yield listener.getsockname()[1]
        server.join(10)


def nobody_came(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def port(listener: socket.socket) -> int:
    number: int = listener.getsockname()[1]
    return number


def test_a_name_that_turns_to_loopback_at_a_redirect_is_refused(secret: socket.socket) -> None:
    """At the first look it is a public address, which redirects to the same name, and that is loopback now."""
    resolver = ChangingResolver([PUBLIC], [LOOPBACK])
    with redirecting(f"http://changing.test:{port(secret)}/a.jpg") as first:
        (download,) = fetch(f"http://changing.test:{first}/a.jpg", addresses=ALLOWED, resolver=resolver)
    assert "loopback" in broken(download).reason
    assert (resolver.asked, nobody_came(secret)) == (2, True)


@pytest.mark.parametrize("addresses", [[LOOPBACK], [PUBLIC, LOOPBACK], [LOOPBACK, PUBLIC]])
def test_no_address_of_a_name_is_tried_that_is_not_allowed(secret: socket.socket, addresses: list[str]) -> None:
    """Of several addresses of one name the public one refuses the connection, and the next is not allowed."""
    resolver = ChangingResolver(addresses)
    (download,) = fetch(f"http://changing.test:{port(secret)}/a.jpg", addresses=ALLOWED, resolver=resolver)
    assert broken(download).reason
    assert nobody_came(secret)


def test_a_retry_looks_again_and_checks_again(secret: socket.socket) -> None:
    """A server that ends the connection is asked once more: by then its name is loopback's, at the same port."""
    resolver = ChangingResolver([PUBLIC], [LOOPBACK])
    with closing(socket.create_server((PUBLIC, port(secret)))) as public:

        def hang_up() -> None:
            connection, _ = public.accept()
            connection.close()

        server = threading.Thread(target=hang_up)
        server.start()
        (download,) = fetch(f"http://changing.test:{port(secret)}/a.jpg", addresses=ALLOWED, resolver=resolver)
        server.join(10)
    assert broken(download).reason
    assert nobody_came(secret)
