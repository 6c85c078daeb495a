"""Reads pictures from files of this machine."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from animoto.download.fetch_error import FetchError
from animoto.download.urls import local_file

_CHUNK_BYTES = 1024 * 1024


class FileReader:
    """Reads files by their paths."""

    async def __call__(self, url: str, max_bytes: int) -> AsyncGenerator[bytes]:
        """Yield the file's bytes; raise FetchError if it can't be read or is larger than max_bytes."""
        path = local_file(url)
        assert path is not None  # noqa: S101 (the fetcher told the kinds apart)
        for chunk in await asyncio.to_thread(_read, path, max_bytes):
            yield chunk


def _read(path: Path, max_bytes: int) -> list[bytes]:
    """The file in chunks, and one byte more than max_bytes of one that is larger."""
    try:
        if path.is_dir():
            raise FetchError("it is a folder; name the pictures in it")
        if path.exists() and not path.is_file():
            raise FetchError("it is no file")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise FetchError(f"it can't be read: {reason or error}") from None
    return [data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES)]
