import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudkon.errors import InputError
from cloudkon.local.run_lock import RunLock

_HOLD = (
    "import sys; from pathlib import Path; from cloudkon.local.run_lock import RunLock\n"
    "with RunLock(Path(sys.argv[1]), 'sleeps-abc'):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def holder(ledger: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _HOLD, ledger], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_job_is_run_by_one_process(ledger: Path, holder: subprocess.Popen[str]) -> None:
    """A second process is refused, and told which one runs the job; another job is free."""
    with holder:
        with pytest.raises(InputError, match=f"Process {holder.pid} is running sleeps-abc already"):
            RunLock(ledger, "sleeps-abc").__enter__()
        with RunLock(ledger, "another-abc"):
            pass


def test_a_job_is_free_after_its_run(ledger: Path, holder: subprocess.Popen[str]) -> None:
    """When the first process has ended, the next may run the job."""
    with holder:
        holder.communicate("", timeout=60)
    with RunLock(ledger, "sleeps-abc"):
        pass


def test_a_killed_process_holds_no_lock(ledger: Path, holder: subprocess.Popen[str]) -> None:
    """A process that was killed leaves its file behind, and the next may run the job."""
    with holder:
        holder.kill()
    assert [path.name for path in ledger.parent.iterdir()] == ["ledger.db.sleeps-abc.lock"]
    with RunLock(ledger, "sleeps-abc"):
        pass


def test_the_file_goes_with_the_lock(ledger: Path) -> None:
    """Nothing is left beside the ledger, and the lock may be taken again."""
    lock = RunLock(ledger, "sleeps-abc")
    for _ in range(2):
        with lock:
            assert [path.name for path in ledger.parent.iterdir()] == ["ledger.db.sleeps-abc.lock"]
        assert list(ledger.parent.iterdir()) == []


def test_a_lock_on_a_removed_file_is_no_lock(ledger: Path) -> None:
    """Who opened the file just before its holder removed it locks the next one, which others see."""
    first, second = RunLock(ledger, "sleeps-abc"), RunLock(ledger, "sleeps-abc")
    with first:
        late = second._open()
    assert not second._locked(late)
    with second, pytest.raises(InputError, match="already"):
        first.__enter__()


def test_a_place_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    """A ledger's folder that can't be made is refused in one line."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"can't be written: .*Name another ledger"):
        RunLock(tmp_path / "file" / "ledger.db", "sleeps-abc").__enter__()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_refused(ledger: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Where no file can be locked, as on some network file systems, a run is refused in one line."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", flock)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(InputError, match=r"can't be locked \(.*\): its file system has no locks"):
        RunLock(ledger, "sleeps-abc").__enter__()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
