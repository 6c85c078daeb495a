"""The file that gets a line a finished task; whatever else it may be on the disk is left alone."""

import errno
import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from cli.terminal.output import json_line
from cloudkon.errors import CloudKonError, InputError

STDOUT = Path("-")
_HEAD_BYTES = 1024 * 1024
Tasks = Iterable[dict[str, Any]]


class ResultsFile:
    """JSON Lines, written as tasks finish, a line a task; - is standard output.

    Nothing is opened before begin, but what can't be written, what holds something else, and what is the run's own
    (apart_from: files by what they are to the run) is refused at once, with InputError.
    """

    def __init__(self, path: Path, *, apart_from: Mapping[str, Path] | None = None, resume: bool = False) -> None:
        self.is_stdout = path == STDOUT or _is_stdout(path)
        self.shown = path
        self._path = Path(os.path.realpath(path))
        self._apart_from = apart_from or {}
        self._resume = resume
        self._descriptor = -1
        self._stdout: TextIO | None = None
        self._end = 0
        self._written = _Lines()
        if not self.is_stdout:
            self._check()

    def begin(self, stdout: TextIO, recorded: Iterable[Tasks] = ()) -> None:
        """Open the file, with what the ledger holds of the job already in it; stdout is what - stands for.

        A file that holds something is an earlier part of this very job, or InputError is raised and it stays as it is.
        """
        if self.is_stdout:
            self._stdout = stdout
        else:
            self._check()  # again: the ledger has been made meanwhile
            standing = _found(self._path)
            if standing is not None and stat.S_ISREG(standing.st_mode) and standing.st_size:
                self._replace(standing, recorded)
                return
            self._descriptor = self._open(self._path, new=standing is None)
        for tasks in recorded:
            self.write(tasks)

    def write(self, tasks: Tasks) -> None:
        """Write a line for each task that has none yet."""
        lines = "".join(f"{json_line(task)}\n" for task in tasks if self._written.add(task["task"]))
        try:
            if self._stdout is not None:
                self._stdout.write(lines)
                self._stdout.flush()
            else:
                self._append(lines.encode())
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CloudKonError(
                f"--results {self.shown}: it can't be written: {error.strerror}. What was recorded is kept in the "
                "ledger: mend this, and go on with --resume."
            ) from error

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        for what, other in self._apart_from.items():
            if _same(self._path, other):
                raise InputError(f"--results {self.shown} is {what}, and would be overwritten. Name another file.")
        standing = _found(self._path)
        if standing is None:
            folder = self._path.parent
            if not folder.is_dir():
                raise self._refusal(os.strerror(errno.ENOTDIR if folder.exists() else errno.ENOENT))
            if not os.access(folder, os.W_OK):
                raise self._refusal(os.strerror(errno.EACCES))
        elif stat.S_ISDIR(standing.st_mode):
            raise self._refusal(os.strerror(errno.EISDIR))
        elif stat.S_ISREG(standing.st_mode) and standing.st_size and not self._resume:
            raise InputError(
                f"--results {self.shown}: it holds something already, which is not overwritten. "
                "Name another file, or remove this one."
            )

    def _refusal(self, reason: str | None) -> InputError:
        return InputError(f"--results {self.shown}: it can't be written: {reason}.")

    def _open(self, path: Path, *, new: bool) -> int:
        flags = os.O_WRONLY | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if new else 0)
        try:
            return os.open(path, flags, 0o666)
        except OSError as error:
            raise self._refusal(error.strerror) from error

    def _append(self, data: bytes) -> None:
        """Write whole lines or none, so that whoever reads them after a failure can read all."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            with suppress(OSError):  # no regular file
                os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)

    def _replace(self, standing: os.stat_result, recorded: Iterable[Tasks]) -> None:
        """Let a file with all that is recorded so far take the place of the earlier part of it."""
        first = self._first()
        part = self._path.with_name(f"{self._path.name}.part")
        with suppress(FileNotFoundError):
            part.unlink()
        self._descriptor = self._open(part, new=True)
        is_ours = False
        try:
            os.fchmod(self._descriptor, stat.S_IMODE(standing.st_mode))
            for tasks in recorded:
                is_ours = is_ours or any(_agree(first, task) for task in tasks)
                self.write(tasks)
            if is_ours:
                part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)
        if not is_ours:
            raise InputError(
                f"--results {self.shown}: it holds something else than results of this job, and is not overwritten. "
                "Name another file, or remove this one."
            )

    def _first(self) -> dict[str, Any]:
        """The first line of what the file holds, if it is a task's."""
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.readline(_HEAD_BYTES))
        except OSError as error:
            raise self._refusal(error.strerror) from error
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class _Lines:
    """The numbers of lines, a bit a line."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> bool:
        """Take a number in; False if it was in."""
        byte, bit = number >> 3, 1 << (number & 7)
        if byte >= len(self._bits):
            self._bits.extend(bytes(max(1024, byte + 1 - len(self._bits))))
        if self._bits[byte] & bit:
            return False
        self._bits[byte] |= bit
        return True


def _agree(first: dict[str, Any], task: dict[str, Any]) -> bool:
    """Whether both tell the same run of the same task, as far as both tell something."""
    if first.get("task") != task["task"] or "duration_ms" not in first:
        return False
    told = json.loads(json.dumps(task))
    return all(told[name] == first[name] for name in told.keys() & first.keys())


def _found(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, under whatever names."""
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist (yet)
        return one == Path(os.path.realpath(other))


def _is_stdout(path: Path) -> bool:
    """Whether it names what this process writes to, as /dev/stdout does."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False
