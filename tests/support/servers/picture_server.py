"""A server of pictures on loopback that can be as bad as the ones outside."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class PictureServer:
    """Answers each path as a test has it; counts connections and requests."""

    port: int = 0
    scheme: str = "http"
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """What a path answers, time after time; the last one stays."""
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/{path}"

    def serve(self, path: str, *answers: "Answer | bytes") -> str:
        """Answer so at a path; return its URL."""
        self.answers["/" + path] = [whole(answer) if isinstance(answer, bytes) else answer for answer in answers]
        return self.url(path)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while line := (await reader.readline()).decode():
                path = line.split()[1]
                self.headers.append(await _headers(reader))
                self.asked.append(path)
                self.busy += 1
                self.busiest = max(self.busiest, self.busy)
                try:
                    await self._answer(path)(reader, writer)
                    await writer.drain()
                finally:
                    self.busy -= 1
                if writer.is_closing():
                    return
        except OSError:
            pass  # whoever asked went away
        finally:
            writer.close()

    def _answer(self, path: str) -> Answer:
        answers = self.answers.get(path.partition("?")[0], [status("404 Not Found")])
        return answers[min(Counter(self.asked)[path], len(answers)) - 1]


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers = {}
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


def whole(body: bytes, headers: str = "", *, length: int | None = None) -> Answer:
    """200 with a body, of a length that may be a lie; a lying server hangs up."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) if length is None else length}\r\n{headers}\r\n"

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)
        if length is not None:
            writer.close()

    return answer


def status(line: str, headers: str = "") -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n{headers}\r\n".encode())

    return answer


def raw(answer: bytes, *, then_close: bool = True) -> Answer:
    """Exactly these bytes."""

    async def answer_raw(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if then_close:
            await writer.drain()
            writer.close()

    return answer_raw


def redirect(target: str) -> Answer:
    return status("302 Found", f"Location: {target}\r\n")


def late(answer: Answer, seconds: float) -> Answer:
    """A network this far away."""

    async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await answer(reader, writer)

    return answer_late


def flood(chunk: bytes, pause_s: float) -> Answer:
    """A body without an end, a chunk at a time."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side gives up."""
    await reader.read(1)
    writer.close()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break the connection off in the middle of a body."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    writer.transport.abort()


@contextmanager
def picture_server(tls: ssl.SSLContext | None = None) -> Iterator[PictureServer]:
    """Run one on a free port in a thread of its own; with tls it speaks https."""
    served, loop = PictureServer(scheme="https" if tls else "http"), asyncio.new_event_loop()

    async def serve(ready: threading.Event, stop: asyncio.Event) -> None:
        async with await asyncio.start_server(served.talk, "127.0.0.1", 0, ssl=tls) as server:
            served.port = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    ready, stop = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(ready, stop)))
    thread.start()
    try:
        assert ready.wait(10)
        yield served
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(_settled())
        loop.close()


async def _settled() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks, return_exceptions=True)
