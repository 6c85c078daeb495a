"""Measures CloudKon beside other programs: python -m bench peers [NAME ...]."""

import argparse
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.peers import environment, measuring
from bench.peers.experiments import LOCAL, QUICK_SHARE
from bench.peers.measuring import Row
from bench.peers.page import keep, publish
from bench.peers.tables import TABLES

_QUEUED, _OURS = 1_000, (20_000, 100_000)
"""Tasks: of the peers, which take seconds for a thousand, and of CloudKon."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is named, everything by default; a table each on stdout."""
    options = _parser().parse_args(argv)
    folder: Path = options.environment
    if options.install:
        environment.install(folder)
    python, told = environment.python_of(folder), _versions(folder)
    _tell_missing(folder)
    for name in options.names or ([] if options.publish else TABLES):
        rows = _measure(name, QUICK_SHARE if options.quick else 1.0, options.rounds, python)
        print(f"{name}: {_HELP[name]}\n\n{TABLES[name](rows)}\n", flush=True)
        if options.publish:
            keep(name, rows, told, datetime.now(UTC).strftime("%Y-%m-%d %H:%M"))
    if options.publish:
        publish()
    return 0


def _measure(name: str, share: float, rounds: int, python: str | None) -> Sequence[Row]:
    if name in LOCAL:
        return [row for case in LOCAL[name](share) for row in measuring.compare(case, rounds, python, _say)]
    # Late: a child's peak memory begins at that of the process that started it.
    from bench.peers import cloud, queues  # noqa: PLC0415

    if name == "queues":
        ours = [row for tasks in _OURS for row in cloud.consumption(max(1, round(tasks * share)), rounds, _say)]
        return [*ours, *queues.compare(max(1, round(_QUEUED * share)), rounds, python, _say)]
    cases = cloud.waiting if name == "cloud" else cloud.growing
    return cloud.compare(list(cases(share)), rounds, _say)


_HELP: Mapping[str, str] = {
    "threads": "tasks that take no time, four at a time, in memory",
    "processes": "tasks that compute, on two cores",
    "commands": "the shortest command, four at a time",
    "efficiency": "tasks that wait, by their length and the number of slots",
    "growth": "more and more tasks",
    "tails": "tasks of very different lengths: makespan over the ideal",
    "queues": "the same tasks over the same emulated SQS: calls, and what they cost",
    "cloud": "small jobs on the embedded cloud",
    "workers": "the same job for more and more workers",
}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _versions(folder: Path) -> Mapping[str, str]:
    """Of everything that takes part and of what it runs on."""
    have = environment.installed(folder)
    found = {name: have[name] for name in environment.pinned() if name in have}
    programs = {name: environment.program_version(name) for name in environment.PROGRAMS}
    return (
        {"Python": platform.python_version(), "ministack": version("ministack")}
        | found
        | {name: told for name, told in programs.items() if told is not None}
    )


def _tell_missing(folder: Path) -> None:
    absent = environment.missing(environment.installed(folder))
    if absent:
        _say(f"Not measured, as they are not here: {', '.join(absent)}. --install brings what pip has.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench peers", description="Measures CloudKon beside others.")
    parser.add_argument(
        "names", nargs="*", type=_experiment, metavar="NAME", help=f"{', '.join(TABLES)} (default: all)"
    )
    parser.add_argument("--install", action="store_true", help="first install the peers into their environment")
    parser.add_argument(
        "--environment", type=Path, default=environment.default_folder(), help="the peers' venv (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="run each program so often, in turns (default: 3)")
    parser.add_argument("--quick", action="store_true", help="only a few tasks: to see that it runs")
    parser.add_argument(
        "--publish", action="store_true", help="put the figures into docs/benchmarks.md; without NAME, those kept"
    )
    return parser


def _experiment(name: str) -> str:
    if name not in TABLES:
        raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(TABLES)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
