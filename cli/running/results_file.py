"""The file that gets a line a finished task."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cli.terminal.output import json_line
from cloudkon.errors import InputError


class ResultsFile:
    """JSON Lines, written as tasks finish; raises InputError at once if the file can't be written."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise InputError(f"--results {path}: it can't be written: {error.strerror}.") from error

    def write(self, tasks: Sequence[dict[str, Any]]) -> None:
        self._file.write("".join(f"{json_line(task)}\n" for task in tasks))
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
