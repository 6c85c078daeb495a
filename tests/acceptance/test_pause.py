"""A job that is paused leaves the task queue to others, on the embedded cloud."""

from pathlib import Path

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker

BUNDLES = 400
WORKLOAD = b"#cloudkon: bundle=1\n" + b"sleep 100\n" * BUNDLES


def depth(aws: EmbeddedAws, name: str) -> tuple[int, int]:
    """How many messages of a queue are visible, and how many in flight."""
    sqs = aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    visible, in_flight = (int(found[each]) for each in names)
    return visible, in_flight


def test_a_paused_job_rests_elsewhere_and_goes_on_where_it_was(
    embedded_cloud: EmbeddedAws, desk: JobDesk, tmp_path: Path
) -> None:
    """Paused, its bundles are neither visible nor in flight on the task queue; resumed, each runs, and once."""
    aws, names = embedded_cloud, embedded_cloud.names
    with worker(aws.environment, tmp_path, "--threads", "2") as one:
        job = desk.drop("pause/tasks.txt", WORKLOAD)

        def is_paused() -> bool:
            """The job is open, and paused"""
            return aws.run("pause", job).returncode == 0

        assert eventually(is_paused)

        def rests() -> bool:
            """Nothing on the task queue"""
            return depth(aws, names.task_queue) == (0, 0) and depth(aws, names.parked_queue)[0] > BUNDLES // 4

        assert eventually(rests)
        answer = aws.run("resume", job)
        assert answer.returncode == 0, answer.stderr
        assert "of its messages are back on the task queue" in answer.stderr
        stats = desk.finish(job)
        one.terminate()
        assert one.exit_code() == 0
    assert (stats["tasks"]["succeeded"], stats["executions"]) == (BUNDLES, BUNDLES)
    assert depth(aws, names.task_queue) == (0, 0)
