"""Runs contestants in turns, so that what else the machine does falls on all of them alike."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import run
from bench.peers.contestants import Contestant, child_environment

Run = Mapping[str, float]
"""What one run took: makespan_s, wall_s, cpu_s, peak_mb."""
Row = Mapping[str, Any]
"""One contestant at one task: what was done, and its runs in the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Case:
    """Some lines, to be run by several programs."""

    work: str
    lines: Sequence[str]
    slots: int
    contestants: Sequence[Contestant]
    ideal_s: float | None = None
    """How long it would take if nothing but the tasks took time."""


def compare(case: Case, rounds: int, python: str | None, say: Callable[[str], None]) -> Sequence[Row]:
    """Run the case so many rounds, every contestant once in each; those whose package is missing are left out."""
    present = [one for one in case.contestants if is_here(one, python)]
    runs: dict[str, list[Run]] = {one.name: [] for one in present}
    for _ in range(rounds):
        for one in present:
            taken = _run(one, case, python or sys.executable)
            say(f"{case.work}, {len(case.lines):,} tasks, {case.slots} slots, {one.name}: {taken['makespan_s']:.3f} s")
            runs[one.name].append(taken)
    shared = {"work": case.work, "tasks": len(case.lines), "slots": case.slots, "ideal_s": case.ideal_s}
    return [{**shared, "program": one.name, "runs": runs[one.name]} for one in present]


def is_here(one: Contestant, python: str | None) -> bool:
    return (one.package is None or python is not None) and (one.program is None or which(one.program) is not None)


def _run(one: Contestant, case: Case, python: str) -> Run:
    with TemporaryDirectory(prefix="cloudkon-bench-") as folder:
        file = Path(folder, "tasks.txt")
        file.write_text("".join(f"{line}\n" for line in case.lines), encoding="utf-8")
        # The standard library's are run by the Python that runs CloudKon, so that all run on the same one.
        own = python if one.package is not None else sys.executable
        ran = run(one.command(own, file, case.slots), child_environment(Path(folder)))
    told = _told(ran.stdout)
    if told is not None:
        assert told["tasks"]["succeeded"] == len(case.lines), f"{one.name} did not run all: {told}"
    makespan_s = ran.wall_s if told is None else told["makespan_s"]
    return {"makespan_s": makespan_s, "wall_s": ran.wall_s, "cpu_s": ran.cpu_s, "peak_mb": ran.peak_mb}


def _told(stdout: str) -> Mapping[str, Any] | None:
    """What a program said of itself in its last line; None if it says nothing, as xargs does."""
    lines = stdout.splitlines()
    told: Mapping[str, Any] | None = json.loads(lines[-1]) if lines else None
    return told
