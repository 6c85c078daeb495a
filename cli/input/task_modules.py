"""Finds the modules that --tasks names, as a person names them: a dotted name, or the path of a file."""

import sys
from collections.abc import Sequence
from pathlib import Path

from cloudkon.errors import InputError

_SUFFIX = ".py"


def find_modules(named: Sequence[str], workload: Path, folders: Sequence[str] = ()) -> list[str]:
    """Put the folders of the modules on Python's path, and return the modules' dotted names.

    The workload's folder, and other folders, are searched last; who imports them looks into the current one first.
    Raises InputError for a file that is not there.
    """
    if not named:
        return []
    for folder in (workload.resolve().parent, *map(Path, folders)):
        _search(folder, first=False)
    return [_module(name, workload) for name in named]


def _module(named: str, workload: Path) -> str:
    """The dotted name; what names one function of the module, after a colon, stays with it."""
    name, colon, function = named.partition(":")
    return f"{_dotted(name, workload)}{colon}{function}"


def _dotted(name: str, workload: Path) -> str:
    if not name.strip():
        raise InputError("--tasks: name a module, or its file: --tasks my_tasks")
    if not name.endswith(_SUFFIX) and "/" not in name:
        return name
    path = Path(name if name.endswith(_SUFFIX) else f"{name}{_SUFFIX}")
    if not path.is_file() and (beside := workload.parent / path).is_file():
        path = beside
    if not path.is_file():
        raise InputError(f"--tasks {name}: there is no file {path}.")
    path = path.resolve()
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():  # a module of a package is imported by its whole name
        parts.insert(0, folder.name)
        folder = folder.parent
    _search(folder, first=True)
    return ".".join(parts)


def _search(folder: Path, *, first: bool) -> None:
    place = str(folder)
    if place in sys.path:
        return
    if first:
        sys.path.insert(0, place)
    else:
        sys.path.append(place)
