"""Real workers whose S3 can't be reached, while the ledger and the queues answer."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import QUICK, worker

BUNDLES, EACH = 3, 8
WORKERS, THREADS = 2, 2
ARGUMENTS = ("--threads", str(THREADS), "--tasks", "tests.support.data.user_tasks")
SETTINGS = {**QUICK, "CLOUDKON_LEASE_S": "3", "CLOUDKON_GUARD_S": "0.5", "CLOUDKON_VISIBILITY_MARGIN_S": "1"}
LEASE_MS = 3_000


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def leases(aws: EmbeddedAws, job: str) -> dict[str, tuple[int, int]]:
    """The attempt of each bundle, and until when it is leased [ms]."""
    items: list[dict[str, Any]] = aws.client("dynamodb").scan(TableName=aws.names.ledger_table)["Items"]
    return {
        item["sk"]["S"]: (int(item["attempt"]["N"]), int(item["until"]["N"]))
        for item in items
        if item["pk"]["S"].startswith(f"job#{job}#")
    }


@pytest.mark.long
def test_an_s3_out_of_reach_fails_no_task(cloud: EmbeddedAws, tmp_path: Path) -> None:
    """For several leases nothing is taken over; the rest is recorded, and once S3 answers every task succeeds."""
    desk, runs = JobDesk(cloud), tmp_path / "runs.txt"
    lines = [
        f"note {runs} {number}" if number % 2 else f"echo {number} {'x' * 3_000}" for number in range(BUNDLES * EACH)
    ]
    nowhere = {**cloud.environment, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{closed_port()}"}
    with ExitStack() as stack:
        blind = [
            stack.enter_context(worker(nowhere, tmp_path, *ARGUMENTS, "--drain-seconds", "1", settings=SETTINGS))
            for _ in range(WORKERS)
        ]
        job = desk.drop("store.txt", "\n".join([f"#cloudkon: bundle={EACH}", *lines, ""]).encode())

        def all_begun() -> dict[str, tuple[int, int]]:
            found = leases(cloud, job)
            return found if len(found) == BUNDLES else {}

        before = eventually(all_begun)

        def renewed_for_long() -> bool:
            now = leases(cloud, job)
            return all(now[bundle][1] > until_ms + 3 * LEASE_MS for bundle, (_, until_ms) in before.items())

        assert eventually(renewed_for_long)
        assert {attempt for attempt, _ in leases(cloud, job).values()} == {1}, "somebody has taken over"
        assert desk.stats(job)["tasks"]["succeeded"] == BUNDLES * EACH // 2, "what the ledger could hold is not there"
        for each in blind:
            each.terminate()
        assert [each.exit_code() for each in blind] == [0] * WORKERS
        stack.enter_context(worker(cloud.environment, tmp_path, *ARGUMENTS, settings=SETTINGS))
        desk.finish(job)
        desk.await_empty(cloud.names.task_queue)
    assert {result["state"] for result in desk.results(job)} == {"succeeded"}
    assert sorted(map(int, runs.read_text().split())) == list(range(1, BUNDLES * EACH, 2)), "a recorded task ran again"
