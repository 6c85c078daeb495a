"""The dispatcher in the Lambda's package, as chalice deploy has built it, on one CPU: lines a second, and memory.

python -m bench dispatcher measures the rate, python -m bench.dispatcher 10 a stream of so many gigabytes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from bench.figures import Figures, table
from cli.embedded.sandbox import own_cloud
from cloudkon.clock import SystemClock
from cloudkon.own_modules import ROOT

_PROGRAM = Path(__file__).with_name("packed_dispatcher.py")
_PACKAGES = Path(ROOT, ".chalice/deployments")
# As in docs/benchmarks.md: the lines that most workloads have, and what costs the dispatcher more.
_LINES = {
    "sleep_0": "sleep 0",
    "distinct": "convert pictures/{n:08d}.png {n:08d}.jpg",
    "json": '{{"task": "resize", "args": ["pictures/{n:08d}.png"], "id": "{n:08d}"}}',
}
_STREAM_LINE = "fetch https://example.org/archive/{n:08d}/" + "x" * 157
"""200 bytes with its end."""


def measure(tasks: int) -> Figures:
    """Lines a second of several kinds of lines: with a queue that takes everything, and with boto3 up to the socket."""
    with TemporaryDirectory(prefix="cloudkon-bench-") as folder:
        unpack(Path(folder))
        return {
            f"{name}_{queue}_{figure}": value
            for name, line in _LINES.items()
            for queue in ("null", "boto3")
            for figure, value in _run(Path(folder), line, tasks, queue).items()
            if figure in {"lines_per_s", "lines_per_cpu_s", "peak_memory_mb"}
        }


def stream(gigabytes: float) -> Figures:
    """A workload of so many gigabytes, range after range in one process, and how much memory that took on the way."""
    lines = round(gigabytes * 1e9 / (len(_STREAM_LINE.format(n=0)) + 1))
    with TemporaryDirectory(prefix="cloudkon-bench-") as folder:
        unpack(Path(folder))
        return _run(Path(folder), _STREAM_LINE, lines, "boto3")


def unpack(folder: Path) -> None:
    """Deploy to an embedded cloud, and unpack what was deployed."""
    with TemporaryDirectory(prefix="cloudkon-bench-") as home, own_cloud(Path(home), SystemClock()):
        newest = max(_PACKAGES.glob("*.zip"), key=lambda path: path.stat().st_mtime)
        with ZipFile(newest) as package:
            package.extractall(folder)


def _run(folder: Path, line: str, lines: int, queue: str) -> Mapping[str, float]:
    """In a process that sees the standard library and the package, and nothing else of this machine's Python."""
    command = [sys.executable, "-I", "-S", str(_PROGRAM), str(folder), line, str(lines), queue]
    nobody = {"PATH": os.defpath, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    answer = subprocess.run(command, env=nobody, stdout=subprocess.PIPE, text=True, check=True)
    figures: Mapping[str, float] = json.loads(answer.stdout)
    return figures


if __name__ == "__main__":
    print(table(stream(float(sys.argv[1]))))
