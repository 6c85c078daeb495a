"""Runs commands and says what they took."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from time import monotonic

# Of getrusage's ru_maxrss: https://man7.org/linux/man-pages/man2/getrusage.2.html
RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that succeeded: what it printed, and what it took."""

    stdout: str
    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run a command to its end; raises CalledProcessError if it fails."""
    began_s = monotonic()
    with subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, said)
    return Ran(
        said,
        monotonic() - began_s,
        cpu_s(usage),
        usage.ru_maxrss * RSS_UNIT_BYTES / 1e6,
    )


def cpu_s(usage: struct_rusage) -> float:
    """Of the process and of what it waited for, its own work and the system's for it."""
    return usage.ru_utime + usage.ru_stime


def module_path() -> str:
    """The PYTHONPATH of children that start in a folder of their own."""
    return os.pathsep.join([str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])])
