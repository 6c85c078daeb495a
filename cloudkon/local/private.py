"""Makes files and folders that nobody but their owner may read: workloads, results and errors are a person's own."""

import os
from pathlib import Path
from typing import BinaryIO


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; what is there already keeps its permissions."""
    missing = []
    for each in (folder, *folder.parents):
        if each.exists():
            break
        missing.append(each)
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)  # raises FileExistsError for what is no folder


def create(path: Path) -> BinaryIO:
    """Open a new file for writing; raises FileExistsError if there is one."""
    return open(path, "xb", opener=_opener)


def touch(path: Path) -> None:
    """Create an empty file unless there is something of this name."""
    if not path.exists():
        os.close(_opener(os.fspath(path), os.O_RDWR | os.O_CREAT))


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
