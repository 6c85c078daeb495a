"""Measures CloudKon: python -m bench [NAME ...] [--tasks N] [--repeat N] [--json]."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from bench.figures import Figures, median, table


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is measured, on how many tasks unless told; bench/<name>.py has a function measure(tasks)."""

    help: str
    tasks: int


# In the order that they run: a child's peak memory begins at that of the process that started it, so local is first,
# and what the others need is imported late.
BENCHMARKS: Mapping[str, Benchmark] = {
    "local": Benchmark("sleep 0, LOCAL, two slots: time, CPU, memory of the whole command", 200_000),
    "report": Benchmark("the page about a job of 64 slots: time, memory, size; and stats beside it", 200_000),
    "codec": Benchmark("what a task costs to parse, to pack and to carry, and the bytes that it takes", 100_000),
    "tracing": Benchmark("what a worker pays for a bundle whose trace goes to X-Ray", 20_000),
    "dispatcher": Benchmark("the dispatcher in the Lambda's package, on one CPU: lines a second", 500_000),
    "cloud": Benchmark("sleep 0 through the embedded cloud and two workers: rate, API calls, USD a million", 20_000),
}


PEERS = "peers"
"""Beside other programs, which takes longer and has options of its own: bench/peers."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named, all of them by default; a table each on stdout, or a line of JSON each."""
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] == PEERS:
        peers: Callable[[Sequence[str]], int] = import_module("bench.peers.__main__").main
        return peers(given[1:])
    options = _parser().parse_args(given)
    for name in [name for name in BENCHMARKS if name in (options.names or BENCHMARKS)]:
        tasks = options.tasks or BENCHMARKS[name].tasks
        measure: Callable[[int], Figures] = import_module(f"bench.{name}").measure
        figures = median([measure(tasks) for _ in range(options.repeat)])
        if options.as_json:
            print(json.dumps({"benchmark": name, "tasks": tasks, "runs": options.repeat, **_machine(), **figures}))
        else:
            print(f"{name}: {BENCHMARKS[name].help}; {tasks:,} tasks, median of {options.repeat}\n{table(figures)}\n")
        sys.stdout.flush()
    return 0


def _machine() -> Mapping[str, object]:
    return {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures CloudKon on this machine.")
    parser.epilog = f"python -m bench {PEERS} --help: CloudKon beside other programs."
    parser.add_argument(
        "names", nargs="*", type=_benchmark, metavar="NAME", help=f"{', '.join(BENCHMARKS)} (default: all)"
    )
    parser.add_argument("--tasks", type=int, help="how many tasks; each benchmark has its own default")
    parser.add_argument("--repeat", type=int, default=1, help="run so often and show the medians (default: 1)")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print a line of JSON a benchmark")
    return parser


def _benchmark(name: str) -> str:
    if name not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
