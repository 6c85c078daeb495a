"""Task queues over SQS: the same tasks through the same emulator, whose calls are counted."""

import json
import os
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import boto3

from bench.peers import counted_sqs
from bench.peers.contestants import child_environment
from bench.peers.marks import Marks
from bench.peers.measuring import Row, Run
from bench.peers.work import MARKS
from cli.embedded.emulator import EmbeddedCloud
from cli.system.environment import cloud_environment
from cli.system.processes import end, start_detached
from cloudkon.clock import SystemClock, poll
from cloudkon.costs.prices import shipped_prices

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SLOTS = 8
_QUEUE = "bench"
_PATIENCE_S = 180.0
_POLL_S = 0.5
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class QueuePeer:
    """A peer whose program, in bench/peers/programs, sends tasks or works on them."""

    name: str
    package: str
    program: str
    workers: int
    """Processes; together they have the eight slots."""


PEERS: Sequence[QueuePeer] = (
    QueuePeer("Celery", "celery", "on_celery", 2),
    QueuePeer("dramatiq_sqs", "dramatiq-sqs", "on_dramatiq", 2),
    QueuePeer("taskiq-aio-sqs", "taskiq-aio-sqs", "on_taskiq", 2),
    QueuePeer("task-queue", "task-queue", "on_task_queue", SLOTS),
)


def compare(tasks: int, rounds: int, python: str | None, say: Callable[[str], None]) -> Sequence[Row]:
    """Send and run so many tasks by each peer, in each round anew; nothing without the peers' environment."""
    if python is None:
        return []
    runs: dict[str, list[Run]] = {peer.name: [] for peer in PEERS}
    for _ in range(rounds):
        for peer in PEERS:
            try:
                taken = measure(peer, tasks, python)
            except (CalledProcessError, TimeoutError) as error:
                say(f"SQS, {tasks:,} tasks, {peer.name}: left out, as it failed: {error}")
                continue
            say(f"SQS, {tasks:,} tasks, {peer.name}: {taken['tasks_per_s']:.0f}/s, {taken['calls_per_task']:.3f} calls")
            runs[peer.name].append(taken)
    shared = {"work": "`mark`", "tasks": tasks, "slots": SLOTS, "ideal_s": None}
    return [{**shared, "program": name, "runs": done} for name, done in runs.items() if done]


def measure(peer: QueuePeer, tasks: int, python: str) -> Run:
    """Send all tasks, then start the workers, and wait until all have run and nothing is left on the queue."""
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-bench-")))
        endpoint, environment = cleanup.enter_context(_emulator(home))
        client, call = _client(endpoint), [python, "-m", f"bench.peers.programs.{peer.program}"]
        url = client.create_queue(QueueName=_QUEUE, Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        before, began_s = _counts(endpoint), time.monotonic()
        subprocess.run([*call, "send", str(tasks), _QUEUE], env=environment, check=True)
        send_s, sent = time.monotonic() - began_s, _counts(endpoint)
        for _ in range(peer.workers):
            work = [*call, "work", str(SLOTS // peer.workers), _QUEUE]
            cleanup.callback(end, start_detached(work, environment, home / "workers.log"), _CLOCK)
        marks = Marks(home)
        marks.wait(tasks, _PATIENCE_S, _CLOCK)
        asked = _wait_until_empty(client, url)
        worked = _counts(endpoint)
        worked["GetQueueAttributes"] -= asked
        took = {"tasks_per_s": tasks / marks.took_s(), "send_s": send_s}
    return took | _figures(tasks, sent - before, worked - sent)


def _figures(tasks: int, sending: Counter[str], working: Counter[str]) -> dict[str, float]:
    calls = sending + working
    per_task, usd = calls.total() / tasks, shipped_prices().of("sqs.million_requests")
    assert usd is not None
    return {
        "calls_per_task": per_task,
        "usd_per_million": per_task * usd,
        "sending_calls_per_task": sending.total() / tasks,
        **{f"{name}_per_task": count / tasks for name, count in sorted(calls.items())},
    }


@contextmanager
def _emulator(home: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """A running emulator: where it is, and the environment of whoever is to use it."""
    embedded = EmbeddedCloud(home, _CLOCK, counted_sqs.__name__)
    inherited = child_environment(home)
    try:
        started = embedded.start(0, "dev", inherited, auth=False)
        there = cloud_environment(started.port, started.stage, os.environ)
        yield started.endpoint, {**inherited, **there, MARKS: str(home)}
    finally:
        embedded.stop()


def _client(endpoint: str) -> "SQSClient":
    """Of the emulator, whatever this machine has set up for AWS; the emulator asks for any key, and looks at none."""
    return boto3.Session("test", "test", region_name="us-east-1").client("sqs", endpoint_url=endpoint)


def _counts(endpoint: str) -> Counter[str]:
    with urllib.request.urlopen(endpoint + counted_sqs.COUNTED, timeout=10) as answer:  # noqa: S310 (it is our own emulator's address)
        return Counter(json.load(answer))


def _wait_until_empty(client: "SQSClient", url: str) -> int:
    """Wait until every message is deleted; return how often that took a call."""
    for asked, _ in enumerate(poll(_CLOCK, _POLL_S, _PATIENCE_S), 1):
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        if not any(int(value) for name, value in answer.items() if name.startswith("ApproximateNumberOfMessages")):
            return asked
    raise TimeoutError("Some messages were not deleted.")
