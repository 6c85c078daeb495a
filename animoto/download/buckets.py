"""Reads pictures from S3 with the worker's own permissions; threads do the reading."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor

from animoto.download.fetch_error import FetchError
from animoto.download.urls import s3_location
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ports import ObjectStore

Buckets = Callable[[str], ObjectStore]
"""The store of a bucket, by its name."""


class BucketReader:
    """Reads URLs of s3."""

    def __init__(self, buckets: Buckets, threads: Executor) -> None:
        self._buckets = buckets
        self._threads = threads

    async def __call__(self, url: str, max_bytes: int) -> AsyncGenerator[bytes]:  # noqa: ARG002 (whoever reads stops)
        """Yield the object's bytes. The store does its own retries."""
        place = s3_location(url)
        assert place is not None  # noqa: S101 (the fetcher told the kinds apart)
        loop = asyncio.get_running_loop()
        try:
            chunks = self._buckets(place.bucket).read(place.key)
            while chunk := await loop.run_in_executor(self._threads, next, chunks, b""):
                yield chunk
        except CloudKonError as error:
            raise FetchError(str(error).rstrip("."), temporary=isinstance(error, UnavailableError)) from None
