"""What the store over a folder does as a folder; its answers to the port are in the contract suite."""

import os
from pathlib import Path

import pytest

from cloudkon.errors import DeniedError, InputError, NotFoundError, UnavailableError
from cloudkon.local.store import FolderStore
from tests.support.ordinary import ordinary_user


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> FolderStore:
    return FolderStore(folder)


def test_a_key_is_a_path_below_the_folder(folder: Path, store: FolderStore) -> None:
    """An object is a plain file that any other program reads, and nothing else is left in the folder."""
    store.write("results/job/1.json", b"{}")
    assert (folder / "results/job/1.json").read_bytes() == b"{}"
    assert [path.name for path in (folder / "results/job").iterdir()] == ["1.json"]


@pytest.mark.parametrize(
    "key", ["../outside", "a/../../outside", "/etc/passwd", "", ".", "a/..", "link/outside", "a\0b"]
)
def test_keys_that_lead_out_are_refused(folder: Path, store: FolderStore, key: str) -> None:
    """No key reads or writes outside of the folder, by dots, from the root, or through a link."""
    folder.mkdir()
    (folder / "link").symlink_to(folder.parent)
    for use in (store.size_bytes, lambda key: list(store.read(key)), lambda key: store.write(key, b"x")):
        with pytest.raises(InputError, match=r"does not name a file below|can't be a file's name"):
            use(key)
    assert sorted(folder.parent.iterdir()) == [folder]


def test_any_file_is_read_in_place_by_its_absolute_path(tmp_path: Path) -> None:
    """Over the root directory, keys are absolute paths."""
    workload = tmp_path / "tasks.txt"
    workload.write_bytes(b"sleep 1\n")
    assert b"".join(FolderStore(Path("/")).read(str(workload))) == b"sleep 1\n"


def test_a_version_is_the_size_and_time_that_stand(folder: Path, store: FolderStore) -> None:
    """Reads of the content that was seen go through; once it has changed, they are refused."""
    store.write("tasks.txt", b"sleep 1\n")
    found = (folder / "tasks.txt").stat()
    seen = f"{found.st_size}-{found.st_mtime_ns}"
    assert store.size_bytes("tasks.txt", seen) == 8
    assert b"".join(store.read("tasks.txt", seen, start=6)) == b"1\n"
    store.write("tasks.txt", b"sleep 1000\n")
    for use in (lambda: store.size_bytes("tasks.txt", seen), lambda: list(store.read("tasks.txt", seen))):
        with pytest.raises(NotFoundError, match=r"tasks\.txt has changed"):
            use()


def test_chunks_are_small(store: FolderStore) -> None:
    """Memory stays flat: no chunk is above 256 KiB."""
    store.write("large", bytes(1_000_000))
    sizes = [len(chunk) for chunk in store.read("large", start=1)]
    assert (max(sizes), sum(sizes)) == (256 * 1024, 999_999)


def test_a_failed_write_leaves_the_old_object(
    folder: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails half way leaves what stood, and no litter."""
    store.write("tasks.txt", b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UnavailableError, match="No space left on device"):
        store.write("tasks.txt", b"new")
    monkeypatch.undo()
    assert b"".join(store.read("tasks.txt")) == b"old"
    assert [path.name for path in folder.iterdir()] == ["tasks.txt"]


def test_a_folder_is_no_object(store: FolderStore) -> None:
    """A key that names a folder is refused, whatever is asked of it."""
    store.write("a/b", b"x")
    for use in (lambda: store.size_bytes("a"), lambda: list(store.read("a")), lambda: store.write("a", b"y")):
        with pytest.raises(InputError, match="is not a file"):
            use()


def test_a_pipe_is_no_object(folder: Path, store: FolderStore) -> None:
    """A named pipe is refused instead of waited for."""
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    with pytest.raises(InputError, match="is not a file"):
        list(store.read("pipe"))


def test_a_name_that_is_too_long_is_an_error(store: FolderStore) -> None:
    """What the file system refuses is told in one line."""
    with pytest.raises(UnavailableError, match="File name too long"):
        store.write("x" * 300, b"")


def test_a_file_without_read_access_is_denied() -> None:
    """A file that may not be read is told apart from one that is missing."""
    with ordinary_user() as folder:
        store = FolderStore(folder)
        store.write("secret", b"x")
        (folder / "secret").chmod(0)
        with pytest.raises(DeniedError, match="permission denied"):
            list(store.read("secret"))
