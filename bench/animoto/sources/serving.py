"""Runs the server of pictures, and counts its CPU time apart from that of those who ask it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.children import cpu_s


@dataclass(slots=True)
class Serving:
    base: str
    """The URL of its folder."""
    cpu_s: float = 0.0
    """Once it has ended."""


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """Serve a folder until the block ends."""
    command = [sys.executable, "-m", "bench.animoto.sources.server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        served = Serving(f"http://127.0.0.1:{int(child.stdout.readline())}")
        try:
            yield served
        finally:
            child.stdin.close()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            served.cpu_s = cpu_s(usage)
