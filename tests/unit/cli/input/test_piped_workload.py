"""What comes through a pipe is kept whole in a file before anything of it runs, or nothing is."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from cli.input.piped_workload import in_a_file
from cloudkon.errors import InputError

READ = (
    "import sys; from pathlib import Path; from cli.input.piped_workload import in_a_file; "
    "print(in_a_file(Path(sys.argv[1]), Path(sys.argv[2])))"
)


def piped(given: str, keep_in: Path, content: bytes) -> Path:
    answer = subprocess.run(
        [sys.executable, "-c", READ, given, str(keep_in)], input=content, stdout=subprocess.PIPE, check=True
    )
    return Path(answer.stdout.decode().strip())


def test_a_file_is_itself(tmp_path: Path) -> None:
    """What is a file already, whatever its name, is not copied."""
    path = tmp_path / "-x\nä.txt"
    path.touch()
    assert in_a_file(path, tmp_path / "kept") == path
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("given", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_is_kept(tmp_path: Path, given: str) -> None:
    """Under each of its names it comes to the same file, as long as the content is the same."""
    path = piped(given, tmp_path, b"sleep 0\n")
    assert path.read_bytes() == b"sleep 0\n"
    assert piped("-", tmp_path, b"sleep 0\n") == path
    assert piped("-", tmp_path, b"sleep 1\n") != path
    assert path.name == "stdin.txt"
    assert len(list((tmp_path / "stdin").iterdir())) == 2


def test_a_fifo_is_kept_under_its_name(tmp_path: Path) -> None:
    """It is read to its end once."""
    fifo = tmp_path / "tasks"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"sleep 0\n",))
    writer.start()
    path = in_a_file(fifo, tmp_path)
    writer.join()
    assert (path.name, path.read_bytes()) == ("tasks", b"sleep 0\n")


def test_a_file_without_a_name_is_kept(tmp_path: Path) -> None:
    """A here-document of the shell is a file that is deleted before it is read."""
    gone = tmp_path / "gone"
    gone.write_bytes(b"sleep 0\n")
    with gone.open("rb") as file:
        gone.unlink()
        path = in_a_file(Path(f"/dev/fd/{file.fileno()}"), tmp_path)
    assert path.read_bytes() == b"sleep 0\n"


def test_what_can_be_no_workload_is_not_kept(tmp_path: Path) -> None:
    """A program, a device that never ends: the first bytes say enough, and nothing is left behind."""
    with pytest.raises(InputError, match="/dev/zero is a binary file"):
        in_a_file(Path("/dev/zero"), tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_place_that_cannot_be_written_is_named_with_the_cure(tmp_path: Path) -> None:
    """Where nothing can be kept, one line says where that was, and how to choose another place."""
    (tmp_path / "file").touch()
    fifo = tmp_path / "tasks"
    os.mkfifo(fifo)

    def write() -> None:
        with suppress(BrokenPipeError):  # the reader gives up at once, maybe before this has written
            fifo.write_bytes(b"sleep 0\n")

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(InputError, match=r"can't be kept in .*: Not a directory. Set CLOUDKON_HOME to a folder"):
        in_a_file(fifo, tmp_path / "file" / "kept")
    writer.join()
