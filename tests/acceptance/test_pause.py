"""A job that is paused leaves the task queue to others, on the embedded cloud."""

import json
from pathlib import Path

from cloudkon.clock import SystemClock
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker

BUNDLES = 400
SLOTS = 2
TASK_MS = 100
FULL_SHARE = 0.8
"""Of what the slots can run in a second."""
WORKLOAD = ("#cloudkon: bundle=1\n" + f"sleep {TASK_MS}\n" * BUNDLES).encode()


def depth(aws: EmbeddedAws, name: str) -> tuple[int, int]:
    """How many messages of a queue are visible, and how many in flight."""
    sqs = aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    visible, in_flight = (int(found[each]) for each in names)
    return visible, in_flight


def full_speed_after_s(starts_ms: list[int], resumed_ms: int) -> float:
    """How long after the resume the first second began in which as many tasks were started as the slots can run."""
    most = SLOTS * 1_000 // TASK_MS
    later = sorted(start for start in starts_ms if start >= resumed_ms)
    full = [at for at in later if sum(at <= each < at + 1_000 for each in later) >= FULL_SHARE * most]
    assert full, "the job never ran at full speed again"
    return (full[0] - resumed_ms) / 1000


def test_a_paused_job_rests_elsewhere_and_goes_on_where_it_was(
    embedded_cloud: EmbeddedAws, desk: JobDesk, tmp_path: Path
) -> None:
    """Paused, its bundles are neither visible nor in flight on the task queue; resumed, it is at full speed at once."""
    aws, names, clock = embedded_cloud, embedded_cloud.names, SystemClock()
    with worker(aws.environment, tmp_path, "--threads", str(SLOTS)) as one:
        job = desk.drop("pause/tasks.txt", WORKLOAD)

        def is_paused() -> bool:
            """The job is open, and paused"""
            return aws.run("pause", job).returncode == 0

        assert eventually(is_paused)
        paused_ms = clock.now_ms()

        def rests() -> bool:
            """Nothing on the task queue"""
            return depth(aws, names.task_queue) == (0, 0) and depth(aws, names.parked_queue)[0] > BUNDLES // 4

        assert eventually(rests)
        rested_ms = clock.now_ms()
        told = json.loads(aws.run("status", job, "--json").stdout)
        assert "messages of paused jobs rest on a queue of their own" in json.dumps(told["findings"])
        assert told["approximate_depths"]["parked"] == depth(aws, names.parked_queue)[0]
        resumed_ms = clock.now_ms()
        answer = aws.run("resume", job)
        assert answer.returncode == 0, answer.stderr
        assert "of its messages are back on the task queue" in answer.stderr
        stats = desk.finish(job)
        one.terminate()
        assert one.exit_code() == 0
    assert (stats["tasks"]["succeeded"], stats["executions"]) == (BUNDLES, BUNDLES)
    assert depth(aws, names.task_queue) == (0, 0)
    after_s = full_speed_after_s([result["start_ms"] for result in desk.results(job)], resumed_ms)
    print(f"empty {(rested_ms - paused_ms) / 1000:.1f} s after the pause, full speed {after_s:.1f} s after the resume")  # noqa: T201 (pytest -s shows it)
