"""Who takes part: each program, what it needs, and the command that has it run a file of tasks in one process tree."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.system.processes import cli

OURS = "CloudKon"
_HANDLERS = Path(__file__).with_name("handlers.py")
Command = Callable[[str, Path, int], Sequence[str]]
"""Makes a command of: the Python of the peers' environment, a file with a task a line, the tasks run at a time."""


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    command: Command
    package: str | None = None
    """The distribution that it needs in the peers' environment; None if it needs none."""
    program: str | None = None
    """The program that it needs on the path."""


def _pool(way: str) -> Command:
    return lambda python, file, slots: [python, "-m", "bench.peers.programs.pools", way, str(file), str(slots)]


def _memory_queue(way: str) -> Command:
    return lambda python, file, slots: [python, "-m", "bench.peers.programs.memory_queues", way, str(file), str(slots)]


def _ours(*arguments: str) -> Command:
    """Run LOCAL with a fresh ledger beside the file, by the Python that runs this."""

    def command(_python: str, file: Path, slots: int) -> Sequence[str]:
        shared = ("--tasks", str(_HANDLERS), "--ledger", str(file.with_suffix(".sqlite3")), "--json")
        threads = () if "--processes" in arguments else ("-t", str(slots))
        return cli("run", "LOCAL", "-s", str(file), *threads, *shared, *arguments)

    return command


def _shell(line: str) -> Command:
    return lambda _python, file, slots: ["sh", "-c", line.format(slots=slots), "sh", str(file)]


THREADS: Sequence[Contestant] = (
    Contestant(OURS, _ours()),
    Contestant("ThreadPoolExecutor, map", _pool("thread-map")),
    Contestant("ThreadPoolExecutor, submit", _pool("thread-submit")),
    Contestant("huey, in memory", _memory_queue("huey"), "huey"),
    Contestant("dramatiq, in memory", _memory_queue("dramatiq"), "dramatiq"),
    Contestant("multiprocessing.Pool, chunks of 64", _pool("multiprocessing")),
)
PROCESSES: Sequence[Contestant] = (
    Contestant(f"{OURS}, `--processes 2 -t 1`", _ours("--processes", "2", "-t", "1")),
    Contestant("ProcessPoolExecutor, chunks of 64", _pool("process-map")),
    Contestant("ProcessPoolExecutor, one by one", _pool("process-map-1")),
    Contestant("multiprocessing.Pool, chunks of 64", _pool("multiprocessing")),
    Contestant("joblib", _pool("joblib"), "joblib"),
    Contestant("mpire, chunks of 64", _pool("mpire"), "mpire"),
    Contestant("ThreadPoolExecutor, map", _pool("thread-map")),
)
COMMANDS: Sequence[Contestant] = (
    Contestant(f"{OURS}, `shell`", _ours("--allow", "shell")),
    Contestant("xargs -P", _shell("sed 's/^shell //' \"$1\" | xargs -P {slots} -I@ sh -c @"), program="xargs"),
    Contestant("GNU parallel", _shell("sed 's/^shell //' \"$1\" | parallel -j {slots}"), program="parallel"),
    Contestant(
        "HyperQueue",
        lambda python, file, slots: [python, "-m", "bench.peers.programs.hyperqueue_commands", str(file), str(slots)],
        "hyperqueue",
    ),
)
WAITING: Sequence[Contestant] = THREADS[:2]
UNEVEN: Sequence[Contestant] = (
    *THREADS[:2],
    Contestant("multiprocessing.Pool, chunks of 64", _pool("multiprocessing")),
)


def child_environment(home: Path) -> Mapping[str, str]:
    """What the programs see: our modules, and a home of their own, for some write there."""
    return os.environ | {"PYTHONPATH": str(Path.cwd()), "HOME": str(home), "CLOUDKON_HOME": str(home)}
