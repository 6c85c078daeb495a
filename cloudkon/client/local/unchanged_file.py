"""A workload on this machine that has to stay what it was while it is run."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from cloudkon.errors import CloudKonError
from cloudkon.local.store import FolderStore

_PATIENCE = 3
"""How often a file is read again that was written to while it was read."""


def fingerprint(path: Path) -> str:
    """What tells the content of a LOCAL run's file from any other."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


class UnchangedFile:
    """An ObjectStore of files in place that raises CloudKonError where one is no more what it was at first sight.

    Each chunk is handed out only after a look at the file: whatever was written before that look shows in its size, its
    times or its place on the disk, and then its content is compared. A file that was only touched, or written anew
    with the same content, is still the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = FolderStore(Path("/"))
        self._seen, self.fingerprint = self._looked()

    def size_bytes(self, key: str, version: str | None = None) -> int:
        self._check()
        return self._files.size_bytes(key, version)

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        self._check()
        for chunk in self._files.read(key, version, start):
            self._check()
            yield chunk
        self._check()

    def write(self, key: str, data: bytes) -> None:
        raise NotImplementedError("A workload is only read.")

    def upload(self, key: str, source: Path) -> str | None:
        raise NotImplementedError("A workload is only read.")

    def link(self, key: str, valid_s: int | None = None) -> str:
        return self._files.link(key, valid_s)

    def _check(self) -> None:
        if self._found() == self._seen:
            return
        try:
            seen, content = self._looked()
        except FileNotFoundError:
            seen, content = (), ""
        if content != self.fingerprint:
            raise CloudKonError(
                f"{self._path} has changed while it was run: from here on its lines would not be those that the run "
                "began with. What has been recorded is kept. Put the earlier content back and go on with --resume, "
                "or run it anew."
            )
        self._seen = seen

    def _looked(self) -> tuple[tuple[int, ...], str]:
        """What the file is, and what tells its content from others; of one moment."""
        for _ in range(_PATIENCE):
            before = self._found()
            content = fingerprint(self._path)
            if self._found() == before:
                return before, content
        raise CloudKonError(f"{self._path} is being written to. Run it when it is done.")

    def _found(self) -> tuple[int, ...]:
        try:
            found = os.stat(self._path)  # noqa: PTH116 (asked once a chunk)
        except FileNotFoundError:
            return ()
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
