"""The work that every program does: lines of a file, and the functions that they name.

Peers run this file in their own environment, so it imports nothing but the standard library.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

MARKS = "CLOUDKON_BENCH_MARKS"
"""Names the folder where `mark` leaves its marks."""


def sleep(milliseconds: str) -> None:
    """As CloudKon's own: 0 does not even yield, for time.sleep(0) costs 50 microseconds on Linux."""
    if duration_ms := float(milliseconds):
        time.sleep(duration_ms / 1000)


def noop(_first: str, _second: str) -> None:
    """Do nothing with two arguments."""


def value(number: str) -> Mapping[str, Any]:
    """Return something that differs from task to task."""
    return {"number": int(number), "square": int(number) ** 2}


def compute(upto: str) -> int:
    """Keep a core busy: a millisecond or less for 20,000."""
    return sum(range(int(upto)))


def mark() -> None:
    """Leave a byte, so that whoever waits for the tasks sees how many have run and when the last one did.

    The first mark of a process says when it came.
    """
    os.write(_marks(), b".")


@cache
def _marks() -> int:
    folder = Path(os.environ[MARKS])
    Path(folder, f"first-{os.getpid()}").write_text(str(time.time()), encoding="ascii")
    return os.open(folder / "marks", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


HANDLERS: Mapping[str, Callable[..., Any]] = {
    "sleep": sleep,
    "noop": noop,
    "value": value,
    "compute": compute,
    "mark": mark,
}


def run_line(line: str) -> Any:
    """Run a task as a peer does: read the line, call what it names, return what that returns."""
    if line.startswith("{"):
        told = json.loads(line)
        return HANDLERS[told["task"]](*told["args"])
    name, *arguments = line.split()
    return HANDLERS[name](*arguments)


def read_lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def report(results: int, began_s: float) -> None:
    """Say what was done in the form that CloudKon says it in; began_s is of time.perf_counter."""
    told = {"tasks": {"succeeded": results}, "makespan_s": time.perf_counter() - began_s}
    print(json.dumps(told), flush=True)
