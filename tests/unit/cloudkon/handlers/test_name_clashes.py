"""A person's files that have the names of our packages, or of Python's own modules, beside the tasks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cloudkon_cli
from cloudkon.errors import InputError
from cloudkon.handlers.registry import Registry
from cloudkon.own_modules import OWN
from cloudkon.workload.task_line import parse_task

CONSOLE_SCRIPT = (sys.executable, "-c", "import sys; from cloudkon_cli import main; sys.exit(main())")
BY_PATH = (sys.executable, cloudkon_cli.__file__)
WORKER = (sys.executable, "-m", "ec2_worker")
HANDLER = "from cloudkon import task\n\n\n@task('hi')\ndef hi():\n    return 'hi'\n"


def run(command: tuple[str, ...], folder: Path, *, on_path: bool) -> subprocess.CompletedProcess[str]:
    """In a folder, which may be on PYTHONPATH too; the checkout comes after it, as an installation does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    places = [str(folder)] * on_path + [str(Path(cloudkon_cli.__file__).parent)]
    environment = kept | {"PYTHONPATH": os.pathsep.join(places), "CLOUDKON_HOME": str(folder / "home")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a file under each of our names, and under some of Python's that everything needs; none can be imported."""
    for name in (*OWN, "queue", "json", "logging", "shlex", "sqlite3", "random", "secrets"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not what was meant')\n")
    (tmp_path / "mine.py").write_text(HANDLER)
    (tmp_path / "t.txt").write_text("hi\nsleep 0\n")
    return tmp_path


@pytest.mark.parametrize("on_path", [False, True])
@pytest.mark.parametrize("command", [CONSOLE_SCRIPT, BY_PATH], ids=["console script", "by path"])
def test_a_run_works_beside_files_with_our_names(command: tuple[str, ...], folder: Path, *, on_path: bool) -> None:
    """A run works in a folder whose files have the names of our packages and of Python's modules."""
    answer = run((*command, "run", "LOCAL", "-s", "t.txt", "--tasks", "mine", "-t", "1"), folder, on_path=on_path)
    assert answer.returncode == 0, answer.stderr


def test_a_worker_starts_beside_files_with_our_names(folder: Path) -> None:
    """python -m ec2_worker finds everything of ours, but for itself, wherever it is started."""
    (folder / "ec2_worker.py").unlink()
    answer = run((*WORKER, "--check", "--tasks", "mine"), folder, on_path=True)
    assert "RuntimeError" not in answer.stderr
    assert "ok" in answer.stdout


def test_tasks_use_a_neighbour_with_our_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person's module imports as cli is the cli.py beside it; what we import afterwards is ours."""
    import cli.main  # noqa: PLC0415 (so that there is something to step aside)

    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "cli.py").write_text("WORD = 'theirs'\n")
    (tmp_path / "neighbourly.py").write_text(
        "import cli\nfrom cloudkon import task\n\n\n@task('w')\ndef w(): return cli.WORD\n"
    )
    registry = Registry()
    registry.load("neighbourly")
    assert registry.run(parse_task("w")) == "theirs"
    assert sys.modules["cli"] is cli
    assert sys.modules["cli.main"] is cli.main


def test_the_tasks_themselves_may_have_our_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--tasks animoto loads animoto.py."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "animoto.py").write_text(HANDLER)
    registry = Registry()
    registry.load("animoto")
    assert registry.names == ("hi",)


@pytest.mark.parametrize("name", ["queue", "secrets", "click"])
def test_tasks_named_like_what_is_there_already(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of Python's, or of a package that is loaded, is told apart from the file that was meant."""
    __import__(name)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"{name}.py").write_text(HANDLER)
    with pytest.raises(InputError, match=rf"--tasks {name}: {name} is .*, not .*{name}\.py, which has to be renamed"):
        Registry().load(name)


def test_a_package_that_is_hidden_is_named(tmp_path: Path) -> None:
    """A click.py on PYTHONPATH, which nobody can tell from click, is named in a line."""
    (tmp_path / "click.py").write_text("")
    answer = run((*BY_PATH, "--help"), tmp_path, on_path=True)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == (
        "Error: click.py has the name of a package that CloudKon needs, and was imported in its place. Rename it.\n"
    )
