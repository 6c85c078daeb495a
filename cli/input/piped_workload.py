"""A workload that comes through a pipe: kept in a file, so that it can be read again, resumed and retried."""

import errno
import hashlib
import stat
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import click

from cli.system.streams import STDIN
from cloudkon.errors import InputError
from cloudkon.local import private
from cloudkon.workload.formats import misfit
from cloudkon.workload.lines import GZIP_MAGIC

DASH = Path("-")
_CHUNK_BYTES = 1024 * 1024
_DEVICES = Path("/dev"), Path("/proc")
_FOLDER = "stdin"
_NO_PLACE = (errno.EACCES, errno.ENOTDIR, errno.EPERM, errno.EROFS)


def in_a_file(given: Path, keep_in: Path) -> Path:
    """The workload as a file that stays: itself, or what comes through a pipe, a FIFO or - (stdin), kept below keep_in.

    Equal content is kept once, under a name that follows from it. Raises InputError for what can't be read.
    """
    if given != DASH and not _is_stream(given):
        return given
    shown = "- (standard input)" if given == DASH else str(given)
    try:
        if given == DASH:
            _say_who_is_waited_for()
            with open(STDIN, "rb", closefd=False) as stream:
                return _kept(_chunks(stream), shown, keep_in, "stdin.txt")
        with given.open("rb") as stream:
            return _kept(_chunks(stream), shown, keep_in, _name(given))
    except OSError as error:
        if error.filename not in (None, str(given)) and error.errno in _NO_PLACE:
            raise InputError(
                f"{shown} can't be kept in {keep_in}: {error.strerror}. Set CLOUDKON_HOME to a folder of yours, or put "
                "the ledger elsewhere with --ledger FILE."
            ) from error
        if error.filename not in (None, str(given)):
            raise  # the disk where it was to be kept, maybe
        raise InputError(f"{shown} can't be read: {error.strerror or error}.") from error


def _is_stream(path: Path) -> bool:
    """Whether it can be read once only: it is no file, or has no name (any more) by which it is opened again."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    if stat.S_ISREG(mode):
        return not path.resolve().exists()
    return not stat.S_ISDIR(mode)


def kept_lines(lines: Iterable[str], shown: str, keep_in: Path, name: str) -> Path:
    """The lines in a file that stays, as in_a_file keeps what comes through a pipe."""
    return _kept((f"{line}\n".encode() for line in lines), shown, keep_in, name)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _kept(chunks: Iterable[bytes], shown: str, keep_in: Path, name: str) -> Path:
    folder = keep_in / _FOLDER
    private.make_folder(folder)
    part = folder / f".{uuid.uuid4().hex}.part"
    digest = hashlib.sha256()
    try:
        with private.create(part) as out:
            for chunk in chunks:
                if not out.tell():
                    _check(chunk, shown)
                try:
                    out.write(chunk)
                except OSError as error:
                    raise OSError(error.errno, error.strerror, str(folder)) from error
                digest.update(chunk)
        path = folder / digest.hexdigest()[:16] / name
        private.make_folder(path.parent)
        if not path.exists():
            part.replace(path)
        return path
    finally:
        part.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()  # if nothing was kept


def _check(head: bytes, shown: str) -> None:
    if not head.startswith(GZIP_MAGIC) and (told := misfit(head)) is not None:
        raise InputError(f"{shown} {told}")


def _name(path: Path) -> str:
    is_device = any(path.is_relative_to(folder) for folder in _DEVICES)
    return "stdin.txt" if is_device else path.name


def _say_who_is_waited_for() -> None:
    if sys.stdin is not None and sys.stdin.isatty():
        click.echo("Type the tasks, a line each; end with Ctrl-D.", err=True)
