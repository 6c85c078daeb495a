"""The other programs: where they are, in which versions, and how to get them."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

MOVIEPY = ("moviepy==2.2.1", "pillow==11.3.0")
"""moviepy needs a Pillow below 12, ours is later: it gets a place of its own."""
_SCRIPT = Path(__file__).with_name("moviepy_peer.py")
_VERSIONS = (
    "import imageio_ffmpeg; from importlib.metadata import version; "
    "print(version('moviepy'), 'with ffmpeg', imageio_ffmpeg.get_ffmpeg_version())"
)


def ffmpeg_version() -> str | None:
    """What ffmpeg says it is; None if there is none."""
    if shutil.which("ffmpeg") is None:
        return None
    return _said(["ffmpeg", "-version"]).splitlines()[0].partition(" Copyright")[0]


def moviepy_python() -> Path:
    """The Python that has moviepy; installs it, once, into the folder of caches."""
    place = _cache() / "bench-animoto-moviepy"
    python = place / "bin" / "python"
    ready = place / "installed"
    if not ready.is_file() or ready.read_text() != " ".join(MOVIEPY):
        print(f"Installing {MOVIEPY[0]} into {place}", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *MOVIEPY], check=True)
        ready.write_text(" ".join(MOVIEPY))
    return python


def moviepy_version(python: Path) -> str:
    return f"moviepy {_said([str(python), '-c', _VERSIONS]).strip()}"


def moviepy_command(python: Path, out: Path, pictures: list[Path]) -> list[str]:
    return [str(python), str(_SCRIPT), str(out), *map(str, pictures)]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cloudkon"


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
