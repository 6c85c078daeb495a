"""What this machine keeps is its owner's alone."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloudkon.local import private
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.run_lock import RunLock
from cloudkon.local.store import FolderStore
from tests.support.data.rows import job


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask that takes no right away: what is private is so by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> set[int]:
    """The permissions of all below a folder: of files, and of folders."""
    return {stat.S_IMODE(path.stat().st_mode) | (stat.S_ISDIR(path.stat().st_mode) << 12) for path in folder.rglob("*")}


def test_a_new_ledger_and_its_folders_are_private(tmp_path: Path) -> None:
    """The ledger, its log and a run's lock can be read by their owner alone, as the new folders above them."""
    path = tmp_path / "share" / "cloudkon" / "ledger.sqlite3"
    with closing(SqliteLedger(path, guard_ms=2_000)) as ledger, RunLock(path, "a-job"):
        ledger.open(job())
        assert len(list(path.parent.iterdir())) >= 3
        assert modes(tmp_path) == {0o600, 0o700 | 1 << 12}


def test_outputs_and_rejects_are_private(tmp_path: Path) -> None:
    """What a store writes or copies, from whatever file, is its owner's."""
    store, source = FolderStore(tmp_path / "out" / "results"), tmp_path / "open.txt"
    source.write_text("for all")
    store.write("rejects/a/0.jsonl", b"x")
    store.upload("outputs/a/b/c.mp4", source)
    assert modes(tmp_path / "out") == {0o600, 0o700 | 1 << 12}
    assert stat.S_IMODE(source.stat().st_mode) == 0o666


def test_what_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    """A folder or a ledger that a person has opened to others stays as it is."""
    tmp_path.chmod(0o755)
    path = tmp_path / "ledger.sqlite3"
    path.touch(0o644)
    SqliteLedger(path, guard_ms=2_000).close()
    private.make_folder(tmp_path)
    assert (stat.S_IMODE(tmp_path.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o755, 0o644)
