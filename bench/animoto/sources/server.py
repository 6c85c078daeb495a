"""Serves the files of a folder on loopback, 40 ms away, and misbehaves as their names say.

python -m bench.animoto.sources.server FOLDER prints its port, and serves until its standard input ends.
"""

import asyncio
import sys
from collections import Counter
from pathlib import Path

LATENCY_S = 0.04
_DRIP_S = 0.2


class Server:
    """Answers GET; keeps connections."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked: Counter[str] = Counter()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := (await reader.readline()).decode("latin-1"):
                while (await reader.readline()).strip():
                    pass
                await asyncio.sleep(LATENCY_S)
                await self._answer(line.split()[1].removeprefix("/"), writer)
                await writer.drain()
        except OSError:
            pass  # whoever asked went away
        finally:
            writer.close()

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> None:
        self._asked[target] += 1
        name = target.partition("?")[0]
        match name.partition("-")[0]:
            case "once" if self._asked[target] == 1:
                writer.write(_head("503 Service Unavailable", 0))
            case "never":
                writer.write(_head("500 Internal Server Error", 0))
            case "private":
                writer.write(_head("302 FoundJob", 0, "Location: http://10.255.255.1/a.jpg\r\n"))
            case "short":
                data = self._data(name)
                writer.write(_head("200 OK", 2 * len(data)) + data)
                writer.close()
            case "drip":
                writer.write(_head("200 OK", 100_000))
                while not writer.is_closing():
                    writer.write(b"\xff")
                    await writer.drain()
                    await asyncio.sleep(_DRIP_S)
            case _ if (self._folder / name).is_file():
                data = self._data(name)
                writer.write(_head("200 OK", len(data)) + data)
            case _:
                writer.write(_head("404 Not FoundJob", 0))

    def _data(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()


def _head(status: str, length: int, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n".encode()


async def _serve(folder: Path) -> None:
    async with await asyncio.start_server(Server(folder).talk, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
