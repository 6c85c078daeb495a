"""Checks files before they are submitted, all of them before the first is uploaded."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from cloudkon.errors import InputError
from cloudkon.workload.lines import GZIP_MAGIC

_HEAD_BYTES = 8 * 1024
_MOST_KEY_BYTES = 1024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way to a key; shown is what the person called it."""

    path: Path
    shown: str
    key: str


def check_uploads(uploads: Sequence[Upload]) -> None:
    """Raise InputError at the first file that can't be a workload, or whose key can't be used."""
    seen: dict[str, Upload] = {}
    for upload in uploads:
        key = upload.key
        if not 0 < len(key.encode(errors="replace")) <= _MOST_KEY_BYTES or not key.isprintable():
            raise InputError(f"{key!r} can't be a key in S3: at most {_MOST_KEY_BYTES} bytes of printable text.")
        twin = seen.setdefault(key, upload)
        if twin is not upload:
            raise InputError(
                f"{twin.shown} and {upload.shown} would both be {key!r}, and the second would take the first one's "
                "place. Submit them one by one, each with a --prefix of its own."
            )
        check_workload(upload.path, upload.shown)


def check_workload(path: Path, shown: str) -> None:
    """Raise InputError if a file can't be a workload."""
    try:
        if not path.exists():
            raise InputError(f"{shown} does not exist.")
        if path.is_dir():
            raise InputError(f"{shown} is a folder. Name the files in it.")
        if not path.is_file():
            raise InputError(f"{shown} is not a file. What comes through a pipe is submitted as - (stdin).")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{shown} can't be read: {error.strerror or error}.") from error
    if b"\0" in head and not head.startswith(GZIP_MAGIC):
        raise InputError(f"{shown} is a binary file. A workload is text, a task a line, or such text gzipped.")


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[Path]:
    """Keep a stream in a file for as long as it is needed: what ends early is not half uploaded."""
    with TemporaryDirectory(prefix="cloudkon-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield path
