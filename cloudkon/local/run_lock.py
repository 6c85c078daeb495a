"""Keeps two processes of this machine from running the same job."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from cloudkon.errors import InputError
from cloudkon.local import private


def is_running(ledger_path: Path, job: str) -> bool:
    """Whether a process of this machine is running the job."""
    path = _lock_path(ledger_path, job)
    try:
        with path.open("rb") as file:
            os.kill(int(file.read(32)), 0)
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except (OSError, ValueError):
        return False
    return False  # another process has the number of the one that died


def _lock_path(ledger_path: Path, job: str) -> Path:
    return ledger_path.with_name(f"{ledger_path.name}.{job}.lock")


class RunLock:
    """Held from enter to exit, by one process at a time; a process that dies lets go of it.

    Raises InputError when another process holds it, or when there is no place for its file beside the ledger.
    """

    def __init__(self, ledger_path: Path, job: str) -> None:
        self._path = _lock_path(ledger_path, job)
        self._job = job
        self._descriptor = -1

    def __enter__(self) -> Self:
        while self._descriptor < 0:
            descriptor = self._open()
            if self._locked(descriptor):
                self._descriptor = descriptor
            else:
                os.close(descriptor)
        os.truncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)  # before letting go: afterwards it may be another's
        os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> int:
        try:
            private.make_folder(self._path.parent)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(f"{self._path} can't be written: {error.strerror}. Name another ledger.") from error

    def _locked(self, descriptor: int) -> bool:
        """Lock the file; False if its last holder removed it between our opening and locking it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise InputError(
                f"Process {holder} is running {self._job} already. Wait for it, or stop it and resume the job."
            ) from error
        except OSError as error:  # NFS without its lock service, some network and user-space file systems
            os.close(descriptor)
            raise InputError(
                f"{self._path} can't be locked ({error.strerror}): its file system has no locks, and two "
                "runs would spoil each other's work. Name a ledger on a disk of this machine."
            ) from error
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
