import gzip
import io
from pathlib import Path

import pytest

from cli.input.uploads import Upload, check_uploads, spooled
from cloudkon.errors import InputError


def upload(path: Path, key: str | None = None) -> Upload:
    return Upload(path, path.name, path.name if key is None else key)


@pytest.mark.parametrize(
    "content", [b"", b"sleep 0\n", "sleep 0 # é\r\n".encode(), gzip.compress(b"sleep 0\n", mtime=0)]
)
def test_plain_empty_and_gzipped_text_may_be_a_workload(tmp_path: Path, content: bytes) -> None:
    """Text, empty or gzipped, may be a workload."""
    path = tmp_path / "tasks"
    path.write_bytes(content)
    check_uploads([upload(path)])


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InputError, match=r"^none.txt does not exist\.$"):
        check_uploads([upload(tmp_path / "none.txt")])


def test_a_folder_is_no_workload(tmp_path: Path) -> None:
    """A folder is no workload."""
    with pytest.raises(InputError, match="is a folder"):
        check_uploads([upload(tmp_path)])


def test_a_binary_file_is_no_workload(tmp_path: Path) -> None:
    """A file with a null byte near its beginning is no workload."""
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF\0\0")
    with pytest.raises(InputError, match="program is a binary file"):
        check_uploads([upload(path)])


def test_an_unreadable_file_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be opened is named with the reason."""
    path = tmp_path / "secret.txt"
    path.touch()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"secret.txt can't be read: Permission denied"):
        check_uploads([upload(path)])


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Two files of one name would be one object."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tasks.txt").write_text("sleep 0\n")
    with pytest.raises(InputError, match=r"would both be 'tasks\.txt'"):
        check_uploads([upload(tmp_path / folder / "tasks.txt") for folder in ("a", "b")])


@pytest.mark.parametrize("key", ["", "a\nb", "\ud800", "x" * 1_025])
def test_what_cannot_be_a_key_in_s3_is_refused(tmp_path: Path, key: str) -> None:
    """What can't be a key in S3 is refused."""
    path = tmp_path / "tasks.txt"
    path.touch()
    with pytest.raises(InputError, match="can't be a key"):
        check_uploads([upload(path, key)])


def test_a_stream_is_spooled_to_a_file_and_removed_after_use() -> None:
    """A stream is kept in a file, and gone when it is not needed any more."""
    with spooled(io.BytesIO(b"sleep 0\n")) as path:
        assert path.read_bytes() == b"sleep 0\n"
    assert not path.exists()
