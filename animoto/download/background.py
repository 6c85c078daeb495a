"""Downloads on a thread of its own, while the caller's thread takes what has arrived."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

from animoto.fetch import Download, Fetcher


@contextmanager
def downloads(fetcher: Fetcher, urls: Sequence[str]) -> Iterator[Iterator[Download]]:
    """Iterate over the downloads of a list, in order; leaving the block cancels what is still on its way."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="downloads", daemon=True)
    thread.start()
    stream = fetcher.fetch_all(urls)

    async def next_download() -> Download | None:
        return await anext(stream, None)

    async def close() -> None:
        await stream.aclose()

    def iterate() -> Iterator[Download]:
        while (download := asyncio.run_coroutine_threadsafe(next_download(), loop).result()) is not None:
            yield download

    try:
        yield iterate()
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
