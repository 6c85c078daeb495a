"""aiohttp's protocol for answers, behind a rewriting of their heads."""

import asyncio
from typing import Any

from aiohttp.client_proto import ResponseHandler

from animoto.download.http_head import HEAD_END, MAX_HEAD_BYTES, rewrite_head

_NO_HTTP = b"no HTTP\r\n\r\n"


class TolerantProtocol(ResponseHandler):
    """Passes on a head once it is whole, rewritten, and of a body no more than was announced."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head: bytearray | None = None
        """What has come of a head; None while a body comes."""
        self._body_bytes: int | None = None

    def set_response_params(self, **params: Any) -> None:
        """Begin with the next answer."""
        self._head, self._body_bytes = bytearray(), None
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if not data or self._parser is None:
            super().data_received(data)
        elif self._head is None:
            self._pass_on(data)
        else:
            self._reschedule_timeout()
            self._head += data
            self._pass_on_heads()

    def _pass_on_heads(self) -> None:
        while self._head is not None:
            whole = self._head.lstrip(b"\r\n")
            end = HEAD_END.search(whole)
            if (end.start() if end else len(whole)) > MAX_HEAD_BYTES:
                self._refuse()
            elif end is None:
                return
            else:
                self._pass_on_head(bytes(whole[: end.start()]), bytes(whole[end.end() :]))

    def _pass_on_head(self, raw: bytes, rest: bytes) -> None:
        head = rewrite_head(raw)
        if head is None:
            self._refuse()
        elif head.is_interim:
            self._head = bytearray(rest)
        else:
            self._head, self._body_bytes = None, head.body_bytes
            super().data_received(head.raw)
            if rest:
                self._pass_on(rest)

    def _refuse(self) -> None:
        """Let the parser tell, in its own way, that this is no HTTP."""
        self._head = None
        super().data_received(_NO_HTTP)

    def _pass_on(self, data: bytes) -> None:
        """What comes beyond the announced length is dropped, with the connection after it."""
        if self._body_bytes is None:
            super().data_received(data)
            return
        if len(data) > self._body_bytes:
            self.force_close()
            data = data[: self._body_bytes]
        self._body_bytes -= len(data)
        if data:
            super().data_received(data)
