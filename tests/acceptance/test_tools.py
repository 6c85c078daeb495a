"""The tools for what is left over, on the embedded cloud."""

import json
from pathlib import Path
from typing import Any

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker


def told(aws: EmbeddedAws, *arguments: str) -> list[dict[str, Any]]:
    answer = aws.run(*arguments, "--json")
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_cancelled_job_is_run_as_another(embedded_cloud: EmbeddedAws, desk: JobDesk, tmp_path: Path) -> None:
    """Of a job that is cancelled before a worker comes nothing runs; retried, all of it does, and failures are told."""
    job = desk.drop("in/left over.txt", b"#cloudkon: retries=0\nsleep 0\nsleep soon\n\nsleep 0\n")
    queue = embedded_cloud.names.task_queue

    def dispatched() -> bool:
        """The job's bundle on the queue"""
        return embedded_cloud.run("stats", job).returncode == 0 and desk.stats(job)["state"] == "running"

    eventually(dispatched)
    (status,) = told(embedded_cloud, "status", job)
    assert [finding["holdup"] for finding in status["findings"]][-1] == "waiting"
    assert status["approximate_depths"]["visible"] >= 1
    assert told(embedded_cloud, "cancel", job)[0]["cancelled_ms"]
    with worker(embedded_cloud.environment, tmp_path, "--threads", "2") as running:
        desk.await_empty(queue)
        assert (desk.stats(job)["state"], desk.results(job)) == ("cancelled", [])
        again = embedded_cloud.run("retry", job).stdout.strip()
        assert desk.finish(again)["tasks"] | {"running": 0} == {
            "total": 3,
            "succeeded": 2,
            "failed": 1,
            "rejected": 0,
            "running": 0,
            "pending": 0,
        }
        (group,) = told(embedded_cloud, "failed", again)
        assert (group["count"], group["state"], group["lines"]) == (1, "failed", [3])
        assert embedded_cloud.run("export-failed", again).stdout == "#cloudkon: retries=0\nsleep soon\n"
        (known,) = told(embedded_cloud, "explain", again, "3")
        assert (known["line"], known["state"], known["attempts"][0]["last_ran"]) == ("sleep soon", "failed", True)
        running.terminate()
        assert running.exit_code() == 0


def test_dead_letters_come_back(embedded_cloud: EmbeddedAws, desk: JobDesk, tmp_path: Path) -> None:
    """What no worker can decode is found among the dead letters, is refused by a redrive, and goes with a purge."""
    sqs = embedded_cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=embedded_cloud.names.task_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="gibberish")
    with worker(embedded_cloud.environment, tmp_path, "--threads", "1") as running:
        running.await_said("goes to the dead-letter queue")
        desk.await_empty(embedded_cloud.names.task_queue)
        running.terminate()
        assert running.exit_code() == 0
    (letter,) = told(embedded_cloud, "dead", "list")
    refused = embedded_cloud.run("dead", "redrive", "--all")
    assert (refused.returncode, f"{letter['id']} stays: it can't be decoded" in refused.stderr) == (1, True)
    assert told(embedded_cloud, "dead", "purge", letter["id"])[0]["done"] == [letter["id"]]
    assert told(embedded_cloud, "dead", "list") == []
