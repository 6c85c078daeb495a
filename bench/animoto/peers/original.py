"""The original's way: one picture after the other over a connection of its own, then ffmpeg as it comes.

python -m bench.animoto.peers.original OUT URL ... exits as ffmpeg does. A picture that does not come is left out, as
by the original.
"""

import subprocess
import sys
import tempfile
import urllib.request
from http.client import IncompleteRead
from pathlib import Path

_SILENCE_S = 10


def download(url: str, path: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=_SILENCE_S) as answer:  # noqa: S310 - our own server's
            path.write_bytes(answer.read())
    except IncompleteRead as error:
        path.write_bytes(error.partial)
    except OSError as error:
        print(f"{url}: {error}", file=sys.stderr)


def command(folder: Path, out: Path) -> list[str]:
    source = ["-framerate", "1", "-i", f"{folder}/%04d.jpg"]
    return ["ffmpeg", "-y", "-loglevel", "error", "-nostdin", *source, "-r", "30", str(out)]


def main() -> int:
    out, *urls = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as folder:
        for number, url in enumerate(urls):
            download(url, Path(folder) / f"{number:04d}.jpg")
        return subprocess.run(command(Path(folder), Path(out)), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
