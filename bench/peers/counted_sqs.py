"""The embedded cloud's emulator, which counts the calls that it answers: python -m bench.peers.counted_sqs."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Event, Receive, Send], Awaitable[None]]
COUNTED = "/_counted"
"""GET tells the counts as JSON."""


def counted(answer: App) -> App:
    """Count what is called by SQS's names, and let the emulator answer it."""
    counts: Counter[str] = Counter()

    async def app(scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == COUNTED:
            head = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": json.dumps(counts).encode()})
            return
        target = dict(scope.get("headers", ())).get(b"x-amz-target", b"").decode().rpartition(".")[2]
        if target:
            counts[target] += 1
        await answer(scope, receive if target else _counting_forms(receive, counts), send)

    return app


def _counting_forms(receive: Receive, counts: Counter[str]) -> Receive:
    """Count the calls of clients that name the action in a form: SQS's older protocol."""

    async def received() -> Event:
        event = await receive()
        counts.update(parse_qs(event.get("body", b"").decode(errors="replace")).get("Action", ()))
        return event

    return received


if __name__ == "__main__":
    import ministack.app as emulator

    emulator.app = counted(emulator.app)
    emulator.main()
