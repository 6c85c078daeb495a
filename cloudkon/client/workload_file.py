"""Writes a workload into a file of the client's own: whatever is wrong is found before the first task runs."""

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cloudkon.errors import InputError
from cloudkon.local import private

FOLDER = "submitted"
_BREAKS = re.compile("[\n\r]")


def write_workload(folder: Path, name: str, header: str, lines: Iterable[str]) -> Path:
    """Write a header and lines into a new file below the folder; if that fails nothing of it is left."""
    own = folder / FOLDER / secrets.token_hex(4)
    private.make_folder(own)
    path = own / f"{name}.txt"
    try:
        with private.create(path) as file:
            file.write(header.encode())
            for line in lines:
                file.write(f"{line}\n".encode())
    except BaseException:
        remove_workload(path)
        raise
    return path


def remove_workload(path: Path) -> None:
    """Delete what write_workload wrote, and the folders that are empty without it."""
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()
        path.parent.parent.rmdir()


def lines_of(workload: Iterable[str | Mapping[str, Any]]) -> Iterator[str]:
    """The lines of a workload: text, or objects as lines of JSON; raise InputError that begins with the place."""
    for number, item in enumerate(workload):
        match item:
            case str() if _BREAKS.search(item.rstrip("\n")):
                raise InputError(f"item {number}: a task is one line, and this text has several.")
            case str():
                yield _checked(item.rstrip("\n"), number)
            case Mapping():
                yield _json(item, number)
            case _:
                raise InputError(
                    f"item {number}: a line of text, or a dict for a line of JSON, was expected, not a "
                    f"{type(item).__name__}. A function is run over items by map()."
                )


def _checked(line: str, number: int) -> str:
    try:
        line.encode()
    except UnicodeEncodeError:
        raise InputError(f"item {number}: it holds half of a surrogate pair, which is no character.") from None
    return line


def _json(item: Mapping[str, Any], number: int) -> str:
    try:
        return json.dumps(dict(item), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"item {number}: JSON can't carry it: {error}.") from error
