"""A folder in place of a bucket; over the root directory, any file of this machine by its absolute path."""

import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cloudkon.errors import DeniedError, InputError, NotFoundError, UnavailableError
from cloudkon.local import private
from cloudkon.ports import StoredObject, UnfinishedUpload

_CHUNK_BYTES = 256 * 1024
_PART = re.compile(r"(?:^|/)\.[0-9a-f]{32}\.part$")


class FolderStore:
    """An ObjectStore whose keys are paths below a folder; a version is the size and the time of the file as it stands.

    FolderStore(Path("/")) reads files in place: their keys are absolute paths.
    Raises NotFoundError for a missing file or another version of it, InputError for a key that names no file below
    the folder, DeniedError and UnavailableError for what the file system refuses.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def size_bytes(self, key: str, version: str | None = None) -> int:
        path = self._path(key)
        with _translated(path):
            return _checked(path, path.stat(), version).st_size

    def read(self, key: str, version: str | None = None, start: int = 0) -> Iterator[bytes]:
        """The bytes from an offset on, a chunk in memory at a time; nothing from the end on."""
        path = self._path(key)
        with _translated(path):
            _checked(path, path.stat(), version)  # before opening: to open a pipe is to wait for its writer
            with path.open("rb") as file:
                file.seek(start)
                yield from _chunks(file)

    def write(self, key: str, data: bytes) -> None:
        """Write the file as a whole: who reads it meanwhile gets all of the old bytes or all of the new ones."""
        with self._replaced(key) as part:
            part.write(data)

    def upload(self, key: str, source: Path) -> None:
        """Copy a file, as write does."""
        with source.open("rb") as file, self._replaced(key) as part:
            shutil.copyfileobj(file, part, _CHUNK_BYTES)

    def link(self, key: str, valid_s: int | None = None) -> str:  # noqa: ARG002 (a file opens as long as it is there)
        """The file's path."""
        return str(self._path(key))

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """The files below a folder."""
        for key, size_bytes, since_ms in self._files(prefix):
            if not _PART.search(key):
                yield StoredObject(key, size_bytes, since_ms)

    def unfinished(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """The files that were to take their places."""
        for key, _, since_ms in self._files(prefix):
            if _PART.search(key):
                yield UnfinishedUpload(key, key, since_ms)

    def remove(self, what: Sequence[StoredObject | UnfinishedUpload]) -> Sequence[str]:
        """Delete the files, and folders that are empty then; return the keys of those that can't be deleted."""
        failed = []
        for each in what:
            path = self._path(each.key)
            try:
                path.unlink(missing_ok=True)
            except OSError:
                failed.append(each.key)
                continue
            with suppress(OSError):  # the first that is not empty
                for folder in path.parents:
                    if folder == self._root:
                        break
                    folder.rmdir()
        return failed

    def _files(self, prefix: str) -> Iterator[tuple[str, int, int]]:
        for path in sorted(self._path(prefix).rglob("*")):
            with suppress(FileNotFoundError):  # it took its place, or went
                found = path.lstat()
                if stat.S_ISREG(found.st_mode):
                    yield path.relative_to(self._root).as_posix(), found.st_size, found.st_mtime_ns // 1_000_000

    @contextmanager
    def _replaced(self, key: str) -> Iterator[BinaryIO]:
        """A new file to write, for its owner alone, which then takes its place, or is gone."""
        path = self._path(key)
        part = path.with_name(f".{uuid.uuid4().hex}.part")  # as _PART has it
        with _translated(path):
            private.make_folder(path.parent)
            try:
                with private.create(part) as file:
                    yield file
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        try:
            path = (self._root / key).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a null byte, a circle of links
            raise InputError(f"{key!r} can't be a file's name: {error}.") from error
        if path == self._root or not path.is_relative_to(self._root):
            raise InputError(f"{key!r} does not name a file below {self._root}.")
        return path


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _checked(path: Path, found: os.stat_result, version: str | None) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path} is not a file. Name a file.")
    # Telling two contents apart by size and time costs the same for a workload of any size.
    if version not in (None, f"{found.st_size}-{found.st_mtime_ns}"):
        raise NotFoundError(f"{path} has changed since it was read: its earlier content is gone.")
    return found


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{path} does not exist.") from error
    except PermissionError as error:
        raise DeniedError(f"{path}: permission denied. Whose file is it, and may you use it?") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is not a file. Name a file.") from error
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror or error}.") from error
