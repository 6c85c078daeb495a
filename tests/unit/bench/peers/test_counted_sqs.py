"""Calls to the emulator are counted by their names, whichever of SQS's two protocols a client speaks."""

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from typing import Any

from bench.peers.counted_sqs import COUNTED, App, counted

Event = MutableMapping[str, Any]


async def answer(_scope: Event, receive: Any, send: Any) -> None:
    """An emulator that answers with what it was sent."""
    await send({"type": "http.response.body", "body": (await receive())["body"]})


def call(app: App, path: str = "/", headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """What a client gets for a request."""
    sent: list[Event] = []

    async def receive() -> Event:
        return {"type": "http.request", "body": body}

    async def send(event: Event) -> None:
        sent.append(event)

    scope = {"type": "http", "path": path, "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()]}
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return bytes(sent[-1]["body"])


def test_calls_of_both_protocols_are_counted_by_name() -> None:
    """A call is counted by the target in its head, or by the action in its form, and answered as it was."""
    app = counted(answer)
    assert call(app, headers={"x-amz-target": "AmazonSQS.SendMessage"}, body=b'{"Action=": 1}') == b'{"Action=": 1}'
    assert call(app, body=b"Action=SendMessage&Version=2012-11-05") == b"Action=SendMessage&Version=2012-11-05"
    call(app, body=b"Action=DeleteMessage")
    assert json.loads(call(app, COUNTED)) == {"SendMessage": 2, "DeleteMessage": 1}


def test_asking_for_the_counts_is_not_counted() -> None:
    """Whoever looks at the counts leaves them as they are, and what names no call is none."""
    app = counted(answer)
    call(app, "/_ministack/health")
    assert json.loads(call(app, COUNTED)) == json.loads(call(app, COUNTED)) == {}
