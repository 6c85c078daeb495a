"""Checks files before they are submitted, all of them before the first is uploaded."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import click

from cloudkon.errors import InputError
from cloudkon.workload.formats import HEAD_BYTES, misfit
from cloudkon.workload.lines import GZIP_MAGIC

_MOST_KEY_BYTES = 1024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WINDOWS_PATH = re.compile(r"(?<!\S)(?:[A-Za-z]:\\|\\\\)\w[\w\\.-]*")


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
        check_key(key)
        twin = seen.setdefault(key, upload)
        if twin is not upload:
            raise InputError(
                f"{twin.shown} and {upload.shown} would both be {key!r}, and the second would take the first one's "
                "place. Submit them one by one, each with a --prefix of its own."
            )
        check_workload(upload.path, upload.shown)


def check_key(key: str) -> None:
    """Raise InputError for what S3 takes for no key."""
    if not 0 < len(key.encode(errors="replace")) <= _MOST_KEY_BYTES or not key.isprintable():
        raise InputError(f"{key!r} can't be a key in S3: at most {_MOST_KEY_BYTES} bytes of printable text.")


def check_workload(path: Path, shown: str, *, is_piped_ok: bool = False) -> None:
    """Raise InputError if a file can't be a workload; of what comes through a pipe only that it is there is known."""
    try:
        if not path.exists():
            raise InputError(f"{shown} does not exist.")
        if path.is_dir():
            raise InputError(f"{shown} is a folder. Name the files in it.")
        if not path.is_file():
            if is_piped_ok:
                return
            raise InputError(f"{shown} is not a file. What comes through a pipe is submitted as - (stdin).")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{shown} can't be read: {error.strerror or error}.") from error
    if not head.startswith(GZIP_MAGIC) and (told := misfit(head)) is not None:
        raise InputError(f"{shown} {told}")


def warn_of_backslashes(path: Path) -> None:
    """Say so if the first lines hold Windows paths that would lose their backslashes, as quoting has it."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for number, line in enumerate(head.decode(errors="replace").splitlines(), start=1):
        found = None if line.startswith(("{", "#")) else _WINDOWS_PATH.search(_QUOTED.sub("", line))
        if found is not None:
            click.echo(
                f"Line {number} holds {found[0]}: outside of quotes a backslash only quotes what follows it, and is "
                f"gone when the task runs. Write '{found[0]}' in single quotes, or with / in its place.",
                err=True,
            )
            return


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[Path]:
    """Keep a stream in a file for as long as it is needed: what ends early is not half uploaded."""
    with TemporaryDirectory(prefix="cloudkon-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield path
