"""What is measured on one machine without a queue between the processes."""

import json
import random
from collections.abc import Callable, Iterator, Mapping

from bench.peers.contestants import COMMANDS, PROCESSES, THREADS, UNEVEN, WAITING
from bench.peers.measuring import Case

_SLOTS = 4
_SECONDS = {1: 1.0, 10: 1.0, 100: 2.0, 1000: 4.0}
"""How long each slot is given work, by the length of a task [ms]."""
_SEED = 20261128


def threads(share: float) -> Iterator[Case]:
    """Tasks that take no time: what is left is what the program itself costs."""
    tasks = _of(50_000, share)
    numbers = range(tasks)
    work: Mapping[str, Callable[[int], str]] = {
        "`sleep 0`": lambda _: "sleep 0",
        "distinct lines": lambda n: f"noop a{n} b{n}",
        "JSON lines with ids": lambda n: json.dumps({"task": "noop", "args": [f"a{n}", f"b{n}"], "id": str(n)}),
        "handlers that return a value": lambda n: f"value {n}",
    }
    for name, line in work.items():
        yield Case(name, [line(n) for n in numbers], _SLOTS, THREADS)


def processes(share: float) -> Iterator[Case]:
    """Tasks that compute, half a millisecond each, on both cores."""
    yield Case("`sum(range(20000))`", ["compute 20000"] * _of(5_000, share), 2, PROCESSES)


def commands(share: float) -> Iterator[Case]:
    """The shortest command that there is, by a shell."""
    yield Case("`sh -c true`", ["shell true"] * _of(2_000, share), _SLOTS, COMMANDS)


def efficiency(share: float) -> Iterator[Case]:
    """Tasks that wait: how much of the slots' time is spent in them."""
    for ms, seconds in _SECONDS.items():
        for slots in (1, 4, 16, 64, 256):
            each = max(1, round(seconds * share * 1000 / ms))
            yield Case(f"{ms} ms", [f"sleep {ms}"] * (each * slots), slots, WAITING, each * ms / 1000)


def growth(share: float) -> Iterator[Case]:
    """More and more tasks that take no time: time in proportion, memory or not."""
    for tasks in (25_000, 50_000, 100_000, 200_000, 400_000):
        yield Case("`sleep 0`", ["sleep 0"] * _of(tasks, share), _SLOTS, WAITING)


def tails(share: float) -> Iterator[Case]:
    """Tasks of very different lengths, Pareto distributed: a few take a hundred times as long as most."""
    slots, draw = 16, random.Random(_SEED)
    lengths_ms = [round(min(2_000.0, 5 * draw.paretovariate(1.3)), 1) for _ in range(_of(3_000, share))]
    ideal_s = max(*lengths_ms, sum(lengths_ms) / slots) / 1000
    yield Case("Pareto, 5 ms to 2 s", [f"sleep {ms}" for ms in lengths_ms], slots, UNEVEN, ideal_s)


def _of(tasks: int, share: float) -> int:
    return max(1, round(tasks * share))


Experiment = Callable[[float], Iterator[Case]]
LOCAL: Mapping[str, Experiment] = {
    "threads": threads,
    "processes": processes,
    "commands": commands,
    "efficiency": efficiency,
    "growth": growth,
    "tails": tails,
}
QUICK_SHARE = 0.002
