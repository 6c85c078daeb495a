"""Worker processes in a storm: killed at random moments, stopped past their leases, fed with duplicates."""

import random
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.workers import WorkerProcess, worker

STORMY: Mapping[str, str] = {
    "CLOUDKON_LEASE_S": "3",
    "CLOUDKON_GUARD_S": "0.5",
    "CLOUDKON_CHECKPOINT_S": "0.25",
    "CLOUDKON_VISIBILITY_MARGIN_S": "1",
    "CLOUDKON_POLL_S": "1",
    "CLOUDKON_REPORT_S": "0.5",
    # Workers die here once in seconds: with two strikes, bad luck alone would condemn a task now and then.
    "CLOUDKON_STRIKES": "3",
}
_CALM_S = (0.2, 2.0)
"""Between two strikes of lightning."""
_PATIENCE_S = 120
_CODES_OF_THE_KILLED = {-signal.SIGKILL, 99}
"""By the storm, or by a task."""


@dataclass(slots=True)
class Storm:
    """Keeps so many workers in their seats, whatever it does to them."""

    aws: EmbeddedAws
    folder: Path
    seed: int
    arguments: tuple[str, ...]
    seats: int = 3
    kills: int = 0
    deaths: int = 0
    """Of workers that a task has killed."""
    zombies: int = 0
    duplicates: int = 0
    _random: random.Random = field(init=False)
    _workers: list[WorkerProcess] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __enter__(self) -> Self:
        self._workers = [self._start() for _ in range(self.seats)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def blow(self, until: Callable[[], bool], *, kills: int) -> None:
        """Strike so many times, then only keep the seats filled, until all is over."""
        pause, before = threading.Event(), self.kills
        deadline_s = time.monotonic() + _PATIENCE_S
        while not (self.kills - before >= kills and until()):
            assert time.monotonic() < deadline_s, f"the calm did not come within {_PATIENCE_S} s"
            pause.wait(self._random.uniform(*_CALM_S))
            self._fill_seats()
            if self.kills - before < kills:
                self._kill(self._random.randrange(self.seats))
                self._send_again()

    def raise_the_dead(self, holding: Callable[[str], bool], taken_over: Callable[[str], bool]) -> str:
        """Stop a worker that holds something until others have taken it over, and wake it; return its name."""

        def stop() -> WorkerProcess | None:
            """A worker that holds a bundle"""
            self._fill_seats()
            return next((each for each in self._workers if _name(each) and _stopped(each, holding)), None)

        def look() -> bool:
            """A takeover"""
            self._fill_seats()
            return taken_over(name)

        zombie = eventually(stop)
        assert zombie is not None
        name = _name(zombie)
        eventually(look)
        zombie.process.send_signal(signal.SIGCONT)
        zombie.await_said("another worker has taken over")
        self.zombies += 1
        return name

    def calm_down(self) -> None:
        """Drain all workers that the storm has left; they end well."""
        left = [each for each in self._workers if each.process.poll() not in _CODES_OF_THE_KILLED]
        for each in left:
            each.await_said("slots on queue")  # from then on it knows what SIGTERM means
            each.terminate()
        codes = [each.exit_code() for each in left]
        assert codes == [0] * len(left), [each.said()[-2_000:] for each in left]

    def _start(self) -> WorkerProcess:
        started = worker(self.aws.environment, self.folder, *self.arguments, settings=STORMY)
        return self._stack.enter_context(started)

    def _fill_seats(self) -> None:
        for seat, each in enumerate(self._workers):
            code = each.process.poll()
            if code is not None:
                assert code in _CODES_OF_THE_KILLED, f"a worker ended by itself, with {code}:\n{each.said()}"
                self.deaths += code != -signal.SIGKILL
                self._workers[seat] = self._start()

    def _kill(self, seat: int) -> None:
        process = self._workers[seat].process
        process.kill()
        if process.wait() == -signal.SIGKILL:
            self.kills += 1

    def _send_again(self) -> None:
        """Put copies of some messages beside them, and let the originals come back at once."""
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=self.aws.names.task_queue)["QueueUrl"]
        taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=3, VisibilityTimeout=5, WaitTimeSeconds=0)
        for message in taken.get("Messages", []):
            sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            self.duplicates += 1


def _name(each: WorkerProcess) -> str:
    """What a worker calls itself; empty until it has begun."""
    found = re.search(r" worker (\S+): \d+ slots", each.said())
    return found[1] if found else ""


def _stopped(each: WorkerProcess, holding: Callable[[str], bool]) -> bool:
    """Stop a worker, unless it turns out to hold nothing."""
    each.process.send_signal(signal.SIGSTOP)
    if holding(_name(each)):
        return True
    each.process.send_signal(signal.SIGCONT)
    return False
