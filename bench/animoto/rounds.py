"""Runs the ways in turn, round after round, and has what came of them looked at."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError

from bench import children
from bench.animoto.judging.judge import Claim, Seen, objections
from bench.animoto.ways import FLOOR, ORIGINAL, WAYS, Task
from bench.children import Ran


@dataclass(frozen=True, slots=True)
class Result:
    """What a way took, and what became of it."""

    name: str
    runs: Sequence[Ran]
    size_bytes: int = 0
    seen: Seen | None = None
    """None for the floor, which makes nothing, and for what failed."""
    objections: Sequence[str] = ()

    def middle(self, value: Callable[[Ran], float]) -> float:
        return median(map(value, self.runs)) if self.runs else 0.0

    @property
    def cpu_s(self) -> float:
        return self.middle(lambda run: run.cpu_s)

    @property
    def startup_s(self) -> float:
        """Of our own ways, the CPU time before there is a picture: a worker spends it once."""
        return self.middle(lambda run: json.loads(run.stdout)["startup_s"]) if WAYS[self.name].ours else 0.0


@dataclass(slots=True)
class Rounds:
    """Videos of the pictures of a folder, which are served at base."""

    folder: Path
    base: str
    pictures: Sequence[Path]
    environment: Mapping[str, str]
    colour_error: int | None = None
    """Of our own ways, in a browser."""

    def task(self, name: str) -> Task:
        return Task(self.pictures, self.base, self.folder / f"{name}.mp4")

    def run(self, names: Sequence[str], rounds: int, slow_rounds: int) -> list[Result]:
        """The ways' medians, in their order; those that fail say so, and the others go on."""
        runs: dict[str, list[Ran]] = {name: [] for name in names}
        failed: dict[str, str] = {}
        self._warm_up()
        for number in range(rounds):
            for name in names:
                if name in failed or (WAYS[name].slow and number >= slow_rounds):
                    continue
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
                try:
                    runs[name].append(children.run(WAYS[name].command(self.task(name)), self.environment))
                except CalledProcessError as error:
                    failed[name] = f"it failed (exit {error.returncode})"
        return self._judged([Result(name, runs[name], objections=_failure(name, failed)) for name in names])

    def _warm_up(self) -> None:
        """Bytecode is compiled, and files are read, before anything is measured."""
        first = replace(self.task("warm-up"), pictures=self.pictures[:1])
        for name in (FLOOR, "cuts"):
            children.run(WAYS[name].command(first), self.environment)

    def _judged(self, results: Sequence[Result]) -> list[Result]:
        original = self.task(ORIGINAL).out
        claim = Claim(len(self.pictures), original.stat().st_size if original.is_file() else None)
        ours = replace(claim, colour_error=self.colour_error)
        return [self._looked_at(result, ours if WAYS[result.name].ours else claim) for result in results]

    def _looked_at(self, result: Result, claim: Claim) -> Result:
        video = self.task(result.name).out
        if result.name == FLOOR or result.objections:
            return result
        print(f"looking at {result.name}", file=sys.stderr)
        often = "twice" if WAYS[result.name].ours else "once"
        command = [sys.executable, "-m", "bench.animoto.judging.likeness", often, str(video), *map(str, self.pictures)]
        seen = Seen(**json.loads(children.run(command, self.environment).stdout))
        size = video.stat().st_size
        return replace(result, size_bytes=size, seen=seen, objections=list(objections(seen, size, claim)))


def _failure(name: str, failed: Mapping[str, str]) -> Sequence[str]:
    return [failed[name]] if name in failed else []


def compiled(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which modules are compiled once, as where they are installed."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
