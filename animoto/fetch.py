"""Downloads a task's pictures, many at once, and yields them in order."""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver

from animoto.addresses import Addresses
from animoto.download.buckets import BucketReader, Buckets
from animoto.download.connector import GuardedConnector
from animoto.download.fetch_error import FetchError
from animoto.download.files import FileReader
from animoto.download.memory_budget import MemoryBudget
from animoto.download.urls import UrlError, check_url, local_file, redacted, s3_location
from animoto.download.web import Reader, WebReader, too_large
from animoto.picture.broken import Broken
from cloudkon.backoff import Backoff

_HEADERS = {"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity", "User-Agent": "CloudKon"}
_MAX_FIELD_BYTES = 64 * 1024
"""Of a header; Location is the one that may be so long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the downloads of one task."""

    connections: int = 16
    ahead: int = 32
    """How many pictures may be under way or waiting, beside the one that is yielded next."""
    ahead_bytes: int = 64 * 1024 * 1024
    """How much memory those may hold together."""
    picture_bytes: int = 32 * 1024 * 1024
    tries: int = 4
    total_s: float = 60.0
    """The deadline of one URL, retries included. It ends servers that send a few bytes at a time for ever."""
    connect_s: float = 5.0
    silence_s: float = 15.0
    """How long a server may send nothing."""
    redirects: int = 20
    """As many as browsers follow."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture's bytes, whatever they are."""

    index: int
    url: str
    """Without its secrets."""
    data: bytes = field(repr=False)
    duration_s: float
    """How long the download took, its retries included."""


Download = Fetched | Broken


class Fetcher:
    """Fetches lists of URLs of http, https and, given a way to read buckets, s3."""

    def __init__(
        self,
        addresses: Addresses,
        limits: Limits,
        backoff: Backoff,
        buckets: Buckets | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tls: ssl.SSLContext | None = None,
        *,
        files: bool = False,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """With files, paths of this machine can be fetched too.

        Instead of what this machine has, tls decides which certificates are trusted, and resolver finds addresses.
        """
        self._addresses = addresses
        self._tls = tls
        self._limits = limits
        self._backoff = backoff
        self._buckets = buckets
        self._pause = pause
        self._files = FileReader() if files else None
        self._resolver = resolver

    async def fetch_all(self, urls: Sequence[str]) -> AsyncGenerator[Download]:
        """Yield every URL's bytes, or what is wrong with it, in order; close the iterator to cancel the rest."""
        async with AsyncExitStack() as stack:
            run = _DownloadRun(self._limits, self._backoff, self._pause, await self._open_readers(stack))
            running: deque[asyncio.Task[Download]] = deque()
            stack.push_async_callback(_cancel, running)
            begun = 0
            for index in range(len(urls)):
                while begun < min(len(urls), index + 1 + self._limits.ahead):
                    running.append(asyncio.create_task(run.fetch(begun, urls[begun])))
                    begun += 1
                run.budget.set_turn(index)
                download = await running[0]
                running.popleft()
                yield download
                if isinstance(download, Fetched):
                    run.budget.release(len(download.data))

    async def _open_readers(self, stack: AsyncExitStack) -> "_Readers":
        limits = self._limits
        session = aiohttp.ClientSession(
            connector=GuardedConnector(self._addresses, limits.connections, self._resolver, self._tls),
            timeout=aiohttp.ClientTimeout(sock_connect=limits.connect_s, sock_read=limits.silence_s),
            cookie_jar=aiohttp.DummyCookieJar(),  # nothing is told from one download to another
            headers=_HEADERS,
            auto_decompress=False,
            max_field_size=_MAX_FIELD_BYTES,
        )
        await stack.enter_async_context(session)
        web = WebReader(session, limits.redirects)
        if self._buckets is None:
            return _Readers(web, None, self._files)
        threads = ThreadPoolExecutor(limits.connections, "s3")
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        return _Readers(web, BucketReader(self._buckets, threads), self._files)


@dataclass(frozen=True, slots=True)
class _Readers:
    web: Reader
    s3: Reader | None
    files: Reader | None = None

    def for_url(self, url: str) -> Reader:
        """The reader for a URL; raise FetchError if there is none."""
        if self.files is not None and local_file(url) is not None:
            return self.files
        try:
            check_url(url)
            if s3_location(url) is None:
                return self.web
        except UrlError as error:
            raise FetchError(str(error)) from None
        if self.s3 is None:
            raise FetchError("s3 URLs can't be read here: this worker has no AWS")
        return self.s3


class _Failures:
    """The failed tries of one URL: whether to go on, and what to say in the end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last: FetchError | None = None
        self.count = 0

    def add(self, error: FetchError) -> None:
        """Note a failure; raise FetchError if it was the last that makes sense."""
        self.count += 1
        self._last = error
        if not error.temporary:
            raise error
        if self.count == self._limits.tries:
            raise FetchError(f"{error}, {self.count} times", temporary=True) from None

    def check_pause(self, pause_s: float, left_s: float) -> None:
        """Raise FetchError at once, with the reason, rather than wait beyond the deadline."""
        if pause_s < left_s:
            return
        wish = f" and asks to wait {pause_s:,.0f} s" if self._last and pause_s == self._last.retry_after_s else ""
        raise FetchError(f"{self._last}{wish}; a URL has {self._limits.total_s:g} s in all", temporary=True) from None

    def timeout_reason(self) -> str:
        before = f"; before that, {self._last}" if self._last else ""
        return f"it did not arrive within {self._limits.total_s:g} s{before}"


class _DownloadRun:
    """The downloads of one list."""

    def __init__(
        self, limits: Limits, backoff: Backoff, pause: Callable[[float], Awaitable[None]], readers: _Readers
    ) -> None:
        self.budget = MemoryBudget(limits.ahead_bytes)
        self._limits = limits
        self._backoff = backoff
        self._pause = pause
        self._readers = readers
        self._slots = asyncio.Semaphore(limits.connections)

    async def fetch(self, index: int, url: str) -> Download:
        """Fetch one URL, with retries, within its deadline; the deadline stands still while memory is short."""
        async with self._slots:
            clock = asyncio.get_running_loop().time
            begin_s, failures = clock(), _Failures(self._limits)
            try:
                async with asyncio.timeout(self._limits.total_s) as deadline:
                    data = await self._try_until_fetched(index, url, deadline, failures)
            except TimeoutError:
                return Broken(index, redacted(url), failures.timeout_reason(), temporary=True)
            except FetchError as error:
                return Broken(index, redacted(url), str(error), temporary=error.temporary)
            return Fetched(index, redacted(url), data, clock() - begin_s)

    async def _try_until_fetched(self, index: int, url: str, deadline: asyncio.Timeout, failures: "_Failures") -> bytes:
        reader, clock = self._readers.for_url(url), asyncio.get_running_loop().time
        while True:
            try:
                return await self._read(index, reader(url, self._limits.picture_bytes), deadline)
            except FetchError as error:
                failures.add(error)
                pause_s = max(self._backoff.delay_s(failures.count), error.retry_after_s)
                failures.check_pause(pause_s, (deadline.when() or math.inf) - clock())
                await self._pause(pause_s)

    async def _read(self, index: int, chunks: AsyncGenerator[bytes], deadline: asyncio.Timeout) -> bytes:
        data = bytearray()
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    self._check_size(len(data) + len(chunk))
                    await self._reserve(index, len(chunk), deadline)
                    data += chunk
        except BaseException:
            self.budget.release(len(data))
            raise
        return bytes(data)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.picture_bytes:
            raise too_large(self._limits.picture_bytes)

    async def _reserve(self, index: int, size_bytes: int, deadline: asyncio.Timeout) -> None:
        ends_s = deadline.when()
        if ends_s is not None and not self.budget.fits(index, size_bytes):
            clock = asyncio.get_running_loop().time
            left_s = ends_s - clock()
            deadline.reschedule(None)
            await self.budget.wait_until_fits(index, size_bytes)
            deadline.reschedule(clock() + left_s)
        self.budget.reserve(size_bytes)


async def _cancel(running: deque[asyncio.Task[Download]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
