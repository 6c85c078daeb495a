"""setup.sh, which `make setup` runs, over stand-ins for Python and pip: each failure is one line with the way out."""

import os
import subprocess
from pathlib import Path

import pytest

SETUP = Path("setup.sh").resolve()
PYTHON = """#!/bin/sh
# Stands in for Python: its version, its modules, and what pip says come from the environment.
case "$*" in
--version) echo "Python ${VERSION:-3.11.2}" ;;
*version_info*) [ "${VERSION:-3.11.2}" = 3.11.2 ] ;;
*ensurepip*) [ -z "${NO_VENV:-}" ] ;;
"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
"-m pip install"*) printf '%s\\n' "$PIP_SAYS"; exit "${PIP_ENDS:-0}" ;;
esac
"""


def set_up(folder: Path, python: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    stand_in = folder / "python"
    stand_in.write_text(PYTHON, encoding="utf-8")
    stand_in.chmod(0o755)
    told = {"PATH": os.environ["PATH"], "PYTHON": str(stand_in) if python is None else python, "PIP_SAYS": ""}
    return subprocess.run(
        ["sh", SETUP], cwd=folder, env=told | environment, capture_output=True, text=True, check=False
    )


def test_a_setup_that_succeeds_says_how_long_it_took(tmp_path: Path) -> None:
    """It says first how long it will take, then how long it took, and nothing goes to stdout."""
    done = set_up(tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    first, *_, last = done.stderr.splitlines()
    assert first == "Preparing .venv (two to three minutes, the first time)"
    assert last.startswith("Prepared .venv in ")


@pytest.mark.parametrize(
    ("python", "environment", "says"),
    [
        ("", {}, "there is no python3 on the PATH"),
        ("/nowhere/python3", {}, "/nowhere/python3 can't be started"),
        (None, {"VERSION": "3.9.2"}, "needs Python 3.11 or later; {python} is Python 3.9.2"),
        (None, {"NO_VENV": "1"}, "{python} has no venv module"),
    ],
)
def test_a_python_that_cannot_be_used_is_one_line(
    tmp_path: Path, python: str | None, environment: dict[str, str], says: str
) -> None:
    """Without a Python that can be used it ends with 2 and a line that says how to name another."""
    done = set_up(tmp_path, python, **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.endswith("make PYTHON=/path/to/python3.11\n")
    assert done.stderr.count("\n") == 1
    assert says.format(python=tmp_path / "python") in done.stderr


@pytest.mark.parametrize(
    ("pip", "says"),
    [
        ("WARNING: NewConnectionError('...: [Errno 111] Connection refused')", "the package index can't be reached"),
        ("WARNING: NameResolutionError(\"...: Failed to resolve 'pypi.org'\")", "the package index can't be reached"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found for boto3==9\nnotice: a new pip", "No matching distribution found"),
        ("Killed", "Killed"),
    ],
)
def test_a_failure_of_pip_is_one_line(tmp_path: Path, pip: str, says: str) -> None:
    """Whatever pip fails of, the reason is one line, and the rest is in a file that the line names."""
    done = set_up(tmp_path, PIP_SAYS=pip, PIP_ENDS="1")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"Error: {says}")
    assert ".venv/setup.log" in last
    assert pip in (tmp_path / ".venv/setup.log").read_text(encoding="utf-8")
