"""A worker whose requests are throttled says so, and so does whoever asks why so little happens."""

import json
from pathlib import Path
from typing import Any

from tests.support.servers.bad_road import DECK, Fault, bad_road
from tests.support.waiting import eventually
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import QUICK, worker

SEED = 1
HALF = {Fault.THROTTLED: DECK // 2}
OUTSPOKEN = {**QUICK, "CLOUDKON_STATUS_S": "1"}


def throttling(desk: JobDesk, job: str) -> str:
    """What status says of throttling, nothing if it does not."""
    (status,) = told(desk, "status", job)
    return "".join(finding["says"] for finding in status["findings"] if finding["holdup"] == "throttled")


def told(desk: JobDesk, *arguments: str) -> list[dict[str, Any]]:
    answer = desk.aws.run(*arguments, "--json")
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_status_says_throttled(desk: JobDesk, tmp_path: Path) -> None:
    """SQS and DynamoDB throttle half of a worker's requests: status and the list of workers say so, and name them."""
    begun, until = tmp_path / "begun", tmp_path / "until"
    with bad_road(desk.aws.environment["AWS_ENDPOINT_URL"], SEED, HALF) as road:
        environment = {**desk.aws.environment, "AWS_ENDPOINT_URL": road.endpoint}
        arguments = ("--threads", "1", "--tasks", "tests.support.data.user_tasks")
        with worker(environment, tmp_path, *arguments, settings=OUTSPOKEN) as running:
            job = desk.drop("throttled.txt", f"hold {begun} {until}\n".encode())
            eventually(begun.exists)
            assert throttling(desk, job) == ""
            road.bad = True

            def both_are_named() -> bool:
                """SQS and DynamoDB in what status says"""
                said = throttling(desk, job)
                return "SQS" in said and "DynamoDB" in said

            eventually(both_are_named)
            counted = [each["throttled"] for each in told(desk, "workers", "list") if each["throttled"]]
            road.bad = False
            until.touch()
            assert desk.finish(job)["tasks"]["succeeded"] == 1
            running.terminate()
            assert running.exit_code() == 0
    assert {operation.partition(".")[0] for each in counted for operation in each} == {"sqs", "dynamodb"}
    assert len(counted) == 1
