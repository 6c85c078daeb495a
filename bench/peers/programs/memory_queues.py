"""Task queues that keep their messages in memory: python -m bench.peers.programs.memory_queues WAY FILE SLOTS."""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.peers.work import read_lines, report, run_line


class _Counted:
    """Runs lines, and knows when so many have been run."""

    def __init__(self, tasks: int) -> None:
        self._tasks = tasks
        self._count = itertools.count(1)
        self.done = threading.Event()

    def run(self, line: str) -> Any:
        result = run_line(line)
        if next(self._count) == self._tasks:
            self.done.set()
        return result


def huey(lines: Sequence[str], slots: int) -> int:
    """Keep the results, as huey does unless told otherwise."""
    from huey import MemoryHuey  # noqa: PLC0415 (not all peers are installed)

    queue, counted = MemoryHuey(), _Counted(len(lines))
    task = queue.task()(counted.run)
    consumer = queue.create_consumer(workers=slots, periodic=False, check_worker_health=False, initial_delay=0.001)
    consumer.start()
    for line in lines:
        task(line)
    counted.done.wait()
    consumer.stop(graceful=True)
    return len(lines)


def dramatiq(lines: Sequence[str], slots: int) -> int:
    """Keep no results: it has no place for them in memory."""
    from dramatiq import Worker, actor  # noqa: PLC0415 (as above)
    from dramatiq.brokers.stub import StubBroker  # noqa: PLC0415 (as above)

    broker, counted = StubBroker(), _Counted(len(lines))

    def run_only(line: str) -> None:  # dramatiq drops a value, and warns of each
        counted.run(line)

    run = actor(run_only, broker=broker)
    worker = Worker(broker, worker_threads=slots, worker_timeout=10)
    worker.start()
    for line in lines:
        run.send(line)
    counted.done.wait()
    worker.stop()
    return len(lines)


WAYS: Mapping[str, Callable[[Sequence[str], int], int]] = {"huey": huey, "dramatiq": dramatiq}


def main() -> None:
    way, file, slots = sys.argv[1:]
    lines = read_lines(file)
    began_s = time.perf_counter()
    report(WAYS[way](lines, int(slots)), began_s)


if __name__ == "__main__":
    main()
