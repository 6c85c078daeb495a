import sys
from pathlib import Path

import pytest

from cloudkon.errors import InputError
from cloudkon.handlers.registry import Registry

RUN = "from cloudkon import task\n"


def said(module: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is said of a module with this text that can't be loaded."""
    (folder / f"{module}.py").write_text(RUN + text)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(InputError) as caught:
        Registry().load(module)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import sys\nsys.exit(0)\n",
            "importing it ended the program (exit code 0). What a script does belongs under if",
        ),
        ("import sys\nsys.exit('bye')\n", "importing it ended the program (saying: bye)."),
        (
            "import argparse\nargparse.ArgumentParser().parse_args(['--x'])\n",
            "importing it ended the program (exit code 2)",
        ),
        (
            "import pytest\npytest.skip('no', allow_module_level=True)\n",
            "importing it raised Skipped: no (loaded.py, line 3)",
        ),
        ("raise KeyboardInterrupt\n", "importing it raised KeyboardInterrupt:"),
        ("def f(:\n", "it can't be read: invalid syntax (loaded.py, line 2) (loaded.py, line 2)"),
        (
            "import nosuchlib\n",
            "importing it raised ModuleNotFoundError: No module named 'nosuchlib' (loaded.py, line 2)",
        ),
        ("import code\ncode.mine()\n", "Python's own: code.py has to be renamed"),
        (
            "class E(Exception):\n def __str__(s): raise SystemExit\nraise E\n",
            "raised E: (its message can't be shown) (loaded",
        ),
    ],
)
def test_a_module_that_cannot_be_imported(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a module does while it is imported is told in a line that names it, the place and the cure."""
    (tmp_path / "code.py").write_text("def mine(): pass\n")
    answer = said("loaded", text, tmp_path, monkeypatch)
    assert answer.startswith("--tasks loaded: ")
    assert expected in answer


@pytest.mark.parametrize(
    ("given", "cure"), [("t.py", "say --tasks t."), ("./t.py", "say --tasks t."), ("jobs/t.py", "say --tasks jobs.t.")]
)
def test_a_file_in_place_of_a_module(given: str, cure: str) -> None:
    """A file's name is answered with the module's."""
    with pytest.raises(InputError, match="a module's name is wanted") as caught:
        Registry().load(given)
    assert str(caught.value).endswith(cure)


def test_a_module_that_is_nowhere() -> None:
    """A module that does not exist is told apart from one whose import fails."""
    with pytest.raises(InputError, match=r"there is no module named 'nosuch' in this folder, on PYTHONPATH"):
        Registry().load("nosuch")


def test_what_a_module_prints_stays_off_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A print at import goes to stderr, for stdout may be read by a program."""
    (tmp_path / "chatty.py").write_text(RUN + "print('hello')\n@task('c')\ndef c(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    Registry().load("chatty")
    assert capfd.readouterr() == ("", "hello\n")
