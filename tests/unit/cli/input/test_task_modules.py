"""--tasks names a module as Python does, or its file as a shell does."""

import sys
from pathlib import Path

import pytest

from cli.input.task_modules import find_modules
from cloudkon.errors import InputError


@pytest.fixture(autouse=True)
def path_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/usr/lib/nowhere"])


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder with a module, one with the workload and another module, and a package."""
    for name in ("here/t.py", "beside/u.py", "here/package/__init__.py", "here/package/v.py", "beside/tasks.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.mark.parametrize(
    ("spelling", "module"),
    [
        ("t", "t"),
        ("t.py", "t"),
        ("./t.py", "t"),
        ("./t", "t"),
        ("../beside/u.py", "u"),
        ("u.py", "u"),
        ("package/v.py", "package.v"),
        ("package.v", "package.v"),
        ("t:run", "t:run"),
        ("../beside/u.py:run", "u:run"),
        ("package/v.py:run", "package.v:run"),
    ],
)
def test_each_spelling_becomes_a_dotted_name(folders: Path, spelling: str, module: str) -> None:
    """A file becomes the dotted name under which Python finds it, in the folder that it is in."""
    assert find_modules([spelling], folders / "beside" / "tasks.txt") == [module]
    assert str(folders / "beside") in sys.path


def test_the_workload_s_folder_comes_last(folders: Path) -> None:
    """A module beside the workload takes the place of none that would be found without it."""
    find_modules(["t"], folders / "beside" / "tasks.txt")
    assert sys.path == ["/usr/lib/nowhere", str(folders / "beside")]


def test_without_modules_the_path_is_left_alone(folders: Path) -> None:
    """Who asks for no module gets no folder either."""
    assert find_modules([], folders / "beside" / "tasks.txt") == []
    assert sys.path == ["/usr/lib/nowhere"]


@pytest.mark.parametrize("spelling", ["nosuch.py", "./nosuch", "/nosuch/t.py"])
def test_a_file_that_is_not_there_is_named(folders: Path, spelling: str) -> None:
    """The advice is not about dotted names."""
    with pytest.raises(InputError, match=r"there is no file .*nosuch"):
        find_modules([spelling], folders / "beside" / "tasks.txt")
