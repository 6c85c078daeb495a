"""Peers over SQS: what is counted is told by task, and a peer that fails does not end the run."""

from collections import Counter

import pytest

from bench.peers import queues
from bench.peers.measuring import Run


def test_calls_are_told_by_task_and_priced() -> None:
    """A hundred tasks, sent in ten calls and deleted in a hundred, make 1.1 calls a task and 0.44 USD a million."""
    figures = queues._figures(100, Counter(SendMessageBatch=10), Counter(DeleteMessage=100))
    assert figures["calls_per_task"] == pytest.approx(1.1)
    assert figures["sending_calls_per_task"] == pytest.approx(0.1)
    assert figures["usd_per_million"] == pytest.approx(0.44)
    assert figures["DeleteMessage_per_task"] == 1.0


def test_a_peer_that_fails_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others' rows are kept, and the reason is said."""
    said: list[str] = []

    def measure(peer: queues.QueuePeer, tasks: int, python: str) -> Run:
        if peer.name == "taskiq-aio-sqs":
            raise TimeoutError("1 of 2 tasks have run within 180 s")
        return {"tasks_per_s": tasks / 2, "calls_per_task": 2.0}

    monkeypatch.setattr(queues, "measure", measure)
    rows = queues.compare(2, 2, "python", said.append)
    assert [(row["program"], len(row["runs"])) for row in rows] == [
        (peer.name, 2) for peer in queues.PEERS if peer.name != "taskiq-aio-sqs"
    ]
    assert sum("left out" in line and "1 of 2 tasks" in line for line in said) == 2


def test_without_the_peers_environment_nothing_is_compared() -> None:
    """Nobody but CloudKon can be measured then."""
    assert queues.compare(2, 1, None, print) == []
