"""Real workers on a bad road to the embedded cloud: requests are throttled, and answers get lost."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support.servers.bad_road import SERVICES, BadRoad, Fault, bad_road
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import QUICK, WorkerProcess, worker

SEED = 1
OF_EACH_DECK = {Fault.THROTTLED: 5, Fault.UNAVAILABLE: 2, Fault.LOST: 7}
TASKS, BUNDLE = 1_500, 20
WORKERS = 2
SETTINGS = {
    **QUICK,
    # As short as the tries of an unlucky call to the ledger: some bundles are taken over from workers that live.
    "CLOUDKON_LEASE_S": "5",
    # A lease that lapses while a task is marked is a strike too; here that happens to the innocent.
    "CLOUDKON_STRIKES": "3",
}


@contextmanager
def workers_on(road: BadRoad, aws: EmbeddedAws, folder: Path) -> Iterator[list[WorkerProcess]]:
    """Workers that have started on a good road, work on a bad one, and drain on it too."""
    environment = {**aws.environment, "AWS_ENDPOINT_URL": road.endpoint}
    with ExitStack() as stack:
        started = [
            stack.enter_context(worker(environment, folder, "--threads", "2", settings=SETTINGS))
            for _ in range(WORKERS)
        ]
        for each in started:
            each.await_said("slots on queue")
        road.bad = True
        yield started
        for each in started:
            each.terminate()
        codes = [each.exit_code() for each in started]
        assert codes == [0] * WORKERS, [each.said()[-2_000:] for each in started]


def assert_nothing_happened(desk: JobDesk, job: str, stats: dict[str, Any]) -> None:
    """Lost 0, recorded twice 0, failed 0; nothing is left on the queues."""
    results = desk.results(job)
    assert [result["task"] for result in results] == list(range(2, TASKS + 2)), "lost, or recorded twice"
    assert {result["state"] for result in results} == {"succeeded"}
    tasks = stats["tasks"]
    assert (tasks["succeeded"], tasks["failed"], tasks["rejected"]) == (TASKS, 0, 0)
    assert desk.depth(desk.aws.names.task_queue) == 0
    assert desk.depth(desk.aws.names.dead_letter_queue) == 0


def test_a_bad_road_changes_no_result(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """Calls are throttled or refused, and answers get lost: each task is recorded once, and none is wrongly failed."""
    desk = JobDesk(cloud)
    with (
        bad_road(cloud.environment["AWS_ENDPOINT_URL"], SEED, OF_EACH_DECK) as road,
        workers_on(road, cloud, tmp_path) as workers,
    ):
        body = f"#cloudkon: bundle={BUNDLE}\n" + "sleep 0\n" * TASKS
        job = desk.drop("bad-road.txt", body.encode())
        desk.finish(job)
        desk.await_empty(cloud.names.task_queue)
    stats = desk.stats(job)
    told = Counter(record["bundle"] for record in desk.completions(job, TASKS // BUNDLE))
    figures = {
        "seed": SEED,
        **road.figures(),
        "calls that boto3 gave up": sum(each.said().count(": Could not ") for each in workers),
        "duplicates dropped": stats["duplicates_dropped"],
        "repeats": stats["executions"] - TASKS,
        "completion records that came again": told.total() - len(told),
    }
    print(*(f"{value:>8} {name}" for name, value in figures.items()), sep="\n")  # noqa: T201 (what it is for)
    assert_nothing_happened(desk, job, stats)
    assert len(told) == TASKS // BUNDLE
    assert all(road.seen[service, fault] for service in SERVICES for fault in OF_EACH_DECK)
