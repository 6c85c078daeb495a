"""Connects to allowed addresses only. What counts is the address that a socket is really connected to."""

import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, cast

import aiohttp
from aiohttp.abc import AbstractResolver

from animoto.addresses import Addresses
from animoto.download.tolerant_protocol import TolerantProtocol

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType
    from aiohttp.client import ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class ForbiddenAddressError(OSError):
    """An address that is not allowed. All have the same text: aiohttp then reports a host's addresses as one error."""

    def __init__(self, address: str, refusal: str) -> None:
        super().__init__("forbidden address")
        self.address = address
        self.refusal = refusal


class GuardedConnector(aiohttp.TCPConnector):
    """Refuses an address before a packet goes there, and again when the socket is connected, before a byte is sent.

    A look at what a name resolves to is not enough: literal addresses are not resolved, and a second resolution may
    say something else.
    """

    def __init__(
        self,
        addresses: Addresses,
        connections: int,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        # True is aiohttp's word for a context that checks names and certificates, by those that this machine trusts.
        super().__init__(limit=connections, resolver=resolver, ssl=tls or True, socket_factory=self._socket)
        self._addresses = addresses
        self._factory = cast("partial[ResponseHandler]", partial(TolerantProtocol, loop=self._loop))

    async def connect(
        self,
        req: "ClientRequest",
        traces: "list[Trace]",
        timeout: "ClientTimeout",  # noqa: ASYNC109 (the signature is aiohttp's)
    ) -> "Connection":
        """Return a connection, new or kept alive, to an allowed address."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        try:
            self._check(str(peer[0]) if peer else "")
        except ForbiddenAddressError:
            connection.close()
            raise
        return connection

    def _socket(self, address: "AddrInfoType") -> socket.socket:
        family, kind, protocol, _, name = address
        self._check(str(name[0]))
        return socket.socket(family, kind, protocol)

    def _check(self, address: str) -> None:
        refusal = self._addresses.refusal(address)
        if refusal is not None:
            raise ForbiddenAddressError(address, refusal)
