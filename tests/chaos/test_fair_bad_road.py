"""Workers that are killed, on a road that harms one of seven requests to SQS, DynamoDB and S3 in six ways."""

import random
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.servers.bad_road import SERVICES, STORE, BadRoad, Fault, bad_road
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.storm import STORMY
from tests.support.worlds.workers import WorkerProcess, worker

SEED = 10
OF_EACH_DECK = dict.fromkeys(Fault, 1)
"""Six of forty requests to each service are harmed, each in another way."""
TASKS, BUNDLE = 600, 10
PAD = 1_500
"""Characters of a value that is too large for the ledger, so that S3 is written to."""
WORKERS, KILLS = 3, 12
_BETWEEN_KILLS_S = (0.3, 2.0)


class Seats:
    """So many workers on the road; whoever was killed is replaced, and nobody who has begun to work ends by itself.

    A worker that gets no sensible answer while it starts ends with 1 and a sentence, and is started again, as systemd
    starts it again.
    """

    def __init__(self, road: BadRoad, aws: EmbeddedAws, folder: Path, stack: ExitStack) -> None:
        self._environment = {**aws.environment, "AWS_ENDPOINT_URL": road.endpoint}
        self._folder = folder
        self._stack = stack
        self.workers = [self._start() for _ in range(WORKERS)]

    def kill(self, seat: int) -> None:
        self.check()
        self.workers[seat].kill()
        self.workers[seat] = self._start()

    def check(self) -> None:
        for seat, each in enumerate(self.workers):
            code = each.process.poll()
            if code == 1 and "slots on queue" not in each.said():
                self.workers[seat] = self._start()
            else:
                assert code is None, f"a worker ended by itself, with {code}:\n{each.said()[-2_000:]}"

    def drain(self) -> None:
        for each in self.workers:
            each.await_said("slots on queue")
            each.process.send_signal(signal.SIGTERM)
        assert [each.exit_code() for each in self.workers] == [0] * WORKERS

    def _start(self) -> WorkerProcess:
        arguments = ("--threads", "2", "--tasks", "tests.support.data.user_tasks")
        return self._stack.enter_context(worker(self._environment, self._folder, *arguments, settings=STORMY))


@pytest.mark.long
def test_kills_on_a_fair_bad_road_change_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """Whatever befalls requests while workers die, each task is recorded once, and none is wrongly failed."""
    desk, drawn = JobDesk(cloud), random.Random(SEED)
    lines = [f"echo {number} {'x' * PAD}" if number % 3 else "sleep 20" for number in range(TASKS)]
    with (
        bad_road(cloud.environment["AWS_ENDPOINT_URL"], SEED, OF_EACH_DECK, (*SERVICES, STORE)) as road,
        ExitStack() as stack,
    ):
        seats = Seats(road, cloud, tmp_path, stack)
        for each in seats.workers:
            each.await_said("slots on queue")
        road.bad = True
        job = desk.drop("fair-bad-road.txt", "\n".join([f"#cloudkon: bundle={BUNDLE}", *lines, ""]).encode())
        for _ in range(KILLS):
            road.pause(drawn.uniform(*_BETWEEN_KILLS_S))
            seats.kill(drawn.randrange(WORKERS))

        def over() -> bool:
            """The end of the job"""
            seats.check()
            return bool(desk.stats(job)["state"] == "complete")

        eventually(over)
        road.bad = False
        seats.drain()
    results = desk.results(job)
    assert [result["task"] for result in results] == list(range(2, TASKS + 2)), "lost, or recorded twice"
    assert {result["state"] for result in results} == {"succeeded"}
    assert desk.depth(cloud.names.dead_letter_queue) == 0
    figures = [f"{value:>8} {name}" for name, value in road.figures().items()]
    print(f"seed {SEED}, {KILLS} kills", *figures, sep="\n")  # noqa: T201 (what it is for)
    assert all(road.seen[service, fault] for service in SERVICES for fault in OF_EACH_DECK)
