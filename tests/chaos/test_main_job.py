"""The main job at its full size, while a worker dies in the middle and S3 tells its event twice."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cloudkon.costs.calls import calls_only
from cloudkon.ledger.job import job_id
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws, embedded_aws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker

TASKS = 50_000
MOST_CALLS_A_TASK = 0.1
"""It is about 0.055, a worker's death and a second event included."""
KEY = "sleeps.txt"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobDesk]:
    """A cloud of its own: thousands of messages make it slow for others, and it gives no memory back."""
    with embedded_aws(tmp_path_factory.mktemp("cloud"), auth=False) as aws:
        yield JobDesk(aws)


def tell_again(aws: EmbeddedAws, version: str) -> None:
    """Give the Lambda the event of the dropped workload, as S3 does when it tells it twice."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found = {"bucket": {"name": aws.names.workloads_bucket}, "object": {"key": KEY, "versionId": version}}
    payload = json.dumps({"Records": [{"eventTime": now, "s3": found}]})
    answer = aws.client("lambda").invoke(FunctionName=f"cloudkon-{STAGE}-ingest", Payload=payload)
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_every_task_is_recorded_once_whatever_dies(desk: JobDesk, tmp_path: Path) -> None:
    """50,000 tasks, two workers, one killed in the middle and replaced, the event twice: all counts are exact."""
    aws, names = desk.aws, desk.aws.names
    with ExitStack() as stack:
        doomed, _ = (stack.enter_context(worker(aws.environment, tmp_path, "--threads", "2")) for _ in range(2))
        body = b"sleep 1\n" * TASKS  # a millisecond each, so that the kill comes in the middle
        put = aws.client("s3").put_object(Bucket=names.workloads_bucket, Key=KEY, Body=body)
        job = job_id(names.workloads_bucket, KEY, put["VersionId"])
        # At the same time as the first: both send bundles until one of them has written the range's row.
        again = Thread(target=tell_again, args=(aws, put["VersionId"]))
        again.start()

        def under_way() -> bool:
            """A quarter of the results"""
            answer = aws.run("stats", job, "--json")
            return answer.returncode == 0 and json.loads(answer.stdout)["tasks"]["succeeded"] > TASKS / 4

        eventually(under_way, within_s=120)
        doomed.kill()
        assert desk.stats(job)["tasks"]["succeeded"] < TASKS
        stack.enter_context(worker(aws.environment, tmp_path, "--threads", "2"))
        desk.finish(job)
        again.join()
        tell_again(aws, put["VersionId"])
        desk.await_empty(names.task_queue)
        stats = desk.stats(job)

    counts = {"succeeded": TASKS, "failed": 0, "rejected": 0, "running": 0, "pending": 0}
    assert stats["tasks"] == {"total": TASKS, **counts}
    assert stats["executions"] == TASKS + stats["unrecorded_runs"]
    assert stats["bundles"] == {**stats["bundles"], "done": stats["bundles"]["total"], "leased": 0, "released": 0}
    lines = [outcome["task"] for outcome in desk.results(job)]
    assert lines == list(range(1, TASKS + 1))
    assert sum(calls_only(stats["api_calls"]).values()) <= MOST_CALLS_A_TASK * TASKS
    forwarded = {record["bundle"] for record in desk.completions(job, stats["bundles"]["total"])}
    assert len(forwarded) == stats["bundles"]["total"]
    tell_the_figures(stats)


def tell_the_figures(stats: dict[str, Any]) -> None:
    calls = calls_only(stats["api_calls"])
    per_task = sum(calls.values()) / TASKS
    sys.stdout.write(
        f"\n{TASKS:,} tasks in {stats['makespan_s']:.1f} s ({stats['throughput_tasks_s']:,.0f}/s), "
        f"{stats['duplicates_dropped']} duplicates dropped, {per_task:.4f} API calls a task:\n"
        + "".join(f"  {name} {count:,}\n" for name, count in calls.items())
    )
