"""The peers' own environment: a venv in a cache folder, made when asked. CloudKon depends on none of what is in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PINNED = Path(__file__).with_name("requirements.txt")
PROGRAMS = ("xargs", "parallel")
"""Not from pip: the system has them, or its packages do."""
_TELL = (
    "import importlib.metadata as m, json; print(json.dumps({d.name.lower(): d.version for d in m.distributions()}))"
)


def default_folder() -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest/."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cloudkon-bench-peers"


def install(folder: Path) -> None:
    """Make the environment, or bring it to what is pinned; raises CalledProcessError, having shown what pip said."""
    python = _python(folder)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(PINNED)], check=True)


def pinned() -> Mapping[str, str]:
    """The versions of the peers that the figures in the docs are of."""
    lines = PINNED.read_text(encoding="utf-8").splitlines()
    asked = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return {name.partition("[")[0]: version for name, _, version in asked}


def installed(folder: Path) -> Mapping[str, str]:
    """The distributions in the environment; none if there is no environment."""
    python = _python(folder)
    if not python.exists():
        return {}
    answer = subprocess.run([str(python), "-c", _TELL], check=True, capture_output=True, text=True)
    versions: Mapping[str, str] = json.loads(answer.stdout)
    return versions


def python_of(folder: Path) -> str | None:
    """The Python of the environment, if there is one."""
    python = _python(folder)
    return str(python) if python.exists() else None


def program_version(program: str) -> str | None:
    """What a program on the path says of its version, in its first line; None if it is not there."""
    if shutil.which(program) is None:
        return None
    answer = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return answer.stdout.splitlines()[0]


def missing(have: Mapping[str, str]) -> Sequence[str]:
    """Which of the peers are not here, each as whoever is to install it knows it."""
    absent = [package for package in pinned() if package not in have]
    return [*absent, *(program for program in PROGRAMS if shutil.which(program) is None)]


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"
