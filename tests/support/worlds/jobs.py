"""What became of a job on the embedded cloud, asked as a person or a consumer of its queues would ask."""

import json
from dataclasses import dataclass, field
from typing import Any

from cloudkon.ledger.job import job_id
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws


@dataclass(slots=True)
class JobDesk:
    """Drops workloads and reads what they came to; the process queue's records are kept, whoever asks first."""

    aws: EmbeddedAws
    _completions: list[dict[str, Any]] = field(default_factory=list)

    def drop(self, key: str, body: bytes, **how: str) -> str:
        """Put a workload into the bucket, as any S3 client does; return its job's id."""
        bucket = self.aws.names.workloads_bucket
        version = self.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **how)["VersionId"]
        return job_id(bucket, key, version)

    def stats(self, job: str) -> dict[str, Any]:
        answer = self.aws.run("stats", job, "--json")
        assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
        stats: dict[str, Any] = json.loads(answer.stdout)
        return stats

    def finish(self, job: str) -> dict[str, Any]:
        """Wait for the end of a job; return its statistics."""
        watched = self.aws.run("watch", job, "--json", "--wait", "120")
        assert watched.stdout, watched.stderr
        stats: dict[str, Any] = json.loads(watched.stdout.splitlines()[-1])
        assert stats["state"] == "complete"
        return stats

    def results(self, job: str, said: str = "") -> list[dict[str, Any]]:
        """What became of each line; said is how the command's words about the workload begin, if it has any."""
        answer = self.aws.run("results", job, "--json")
        assert (answer.returncode, answer.stderr[: len(said) or None]) == (0, said), answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def completions(self, job: str, count: int) -> list[dict[str, Any]]:
        """Take the process queue's records until there are so many of the job; return all there have been of it."""

        def look() -> list[dict[str, Any]]:
            self._completions += [json.loads(body) for body in self.take(self.aws.names.process_queue)]
            found = [record for record in self._completions if record["job"] == job]
            return found if len(found) >= count else []

        look.__doc__ = f"{count} completion records of {job}"
        return eventually(look)

    def take(self, queue: str) -> list[str]:
        """Receive and delete the messages that are on a queue."""
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        bodies: list[str] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            bodies += [message["Body"] for message in messages]
            entries = [{"Id": str(at), "ReceiptHandle": m["ReceiptHandle"]} for at, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return bodies

    def depth(self, queue: str) -> int:
        """How many messages there are, hidden ones too; exact on the embedded cloud."""
        sqs = self.aws.client("sqs")
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def await_empty(self, queue: str) -> None:
        """Wait until the last deletes of a job have arrived."""

        def look() -> bool:
            """An empty queue"""
            return self.depth(queue) == 0

        eventually(look)
