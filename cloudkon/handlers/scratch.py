"""Folders for what a task needs only while it runs; what a process that was killed has left in them is swept.

Whoever has such a folder holds a lock on it, which ends with the process however that ends: the lock, unlike the
number of a process, tells the dead from the living across restarts of the machine and walls of containers.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "cloudkon-task-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of one's own among the temporary files, gone with the end of the block."""
    folder, lock = _locked()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> int:
    """Remove the folders of this user whose processes are gone; return how many there were."""
    return sum(_removed(folder) for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


def _locked() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(OSError):  # a file system that locks no folders: nothing is swept there
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)
        # Whoever swept in between took it for a dead one's.


def _removed(folder: Path) -> bool:
    # A link, a file, or what another user has put there is not ours to touch.
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # somebody holds it
        return False
    finally:
        os.close(lock)
    return True
