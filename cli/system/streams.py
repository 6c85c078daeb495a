"""Standard input, output and error as commands find them: closed, full, or with nobody at the other end any more."""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

STDIN, STDOUT, STDERR = 0, 1, 2
_IF_CLOSED = {
    # So that no file of ours takes the place of one that is closed. Who reads or writes data there gets an error,
    # as the descriptor is opened for the other direction; talk that nobody can hear is let go.
    STDIN: os.O_WRONLY,
    STDOUT: os.O_RDONLY,
    STDERR: os.O_WRONLY,
}
_ERRORS = "cloudkon-shown"


def prepare_streams() -> None:
    """Make the standard streams safe to use, whatever they are; of the process's first steps."""
    for descriptor, mode in _IF_CLOSED.items():
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
    codecs.register_error(_ERRORS, _show)
    sys.stdout = _text(_Data(STDOUT, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Talk(STDERR, "w", closefd=False), sys.stderr, line_buffering=True)


@contextmanager
def reserved_stdout() -> Iterator[TextIO]:
    """Keep standard output for what the command writes to the stream that is yielded, and after the block.

    Within the block, what handlers and the programs they start print goes to standard error, and a handler that
    closes its standard output closes nothing of ours.
    """
    ours = sys.stdout
    ours.flush()
    if _descriptor(ours) != STDOUT:  # a test's
        sys.stdout = sys.stderr
        try:
            yield ours
        finally:
            sys.stdout = ours
        return
    kept = _text(_Data(os.dup(STDOUT), "w"), ours)
    os.dup2(STDERR, STDOUT)
    sys.stdout = _text(_Talk(STDOUT, "w", closefd=False), ours, line_buffering=True)
    try:
        yield kept
    finally:
        sys.stdout = kept  # for good: descriptor 1 may be closed by now, or be something else's


def settle_stdout() -> None:
    """Write out what is left; where that fails it was told before, and the interpreter is not to tell it again."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = io.StringIO()


class _Data(io.FileIO):
    """Standard output; its errors say that they are its own."""

    def write(self, data: object) -> int | None:  # type: ignore[override]  # (a buffer, as FileIO.write has it)
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard output") from error


class _Talk(io.FileIO):
    """Standard error: a run is not given up because nobody hears what is said of it."""

    def write(self, data: object) -> int | None:  # type: ignore[override]  # (a buffer, as FileIO.write has it)
        with suppress(OSError):
            return super().write(data)  # type: ignore[arg-type]
        return memoryview(data).nbytes  # type: ignore[arg-type]


def _text(raw: io.FileIO, like: TextIO | None, *, line_buffering: bool = False) -> TextIO:
    """A text stream over raw with the encoding of an earlier one, None if there was none."""
    encoding = like.encoding if like is not None else "utf-8"
    buffered = line_buffering or bool(getattr(like, "line_buffering", False))
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, _ERRORS, line_buffering=buffered)


def _show(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write a file name's bytes as they are, and any other character that the encoding lacks by its number."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def _descriptor(stream: TextIO) -> int:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return -1
