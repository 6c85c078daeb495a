"""Builds jobs, claims and results of which a test names only what it is about."""

from typing import Any

from cloudkon.ledger.bundle import BundleKey, LineNumbers
from cloudkon.ledger.fleet import WorkerState, WorkerStatus
from cloudkon.ledger.job import Job, RangeReport, Source, WorkerReport
from cloudkon.ledger.lease import Claim, Claimed, Lease
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.ports import Leases

NOW_MS = 1_750_000_000_000
"""A moment in June 2025; a new ManualClock stands there too."""
LEASE_MS = 120_000
GUARD_MS = 2_000
"""What every ledger under test is made with."""


def job(name: str = "sleeps-abcdefghijkl", **changes: Any) -> Job:
    fields: dict[str, Any] = {
        "id": name,
        "source": Source("workloads", "in/sleeps.txt", "v1", NOW_MS),
        "size_bytes": 1_234,
        "ranges": 1,
        "shards": 1,
        "bundle_size": 64,
        "tasks_estimate": 100,
        "opened_ms": NOW_MS + 5,
    }
    return Job(**fields | changes)


def key(number: int = 0, *, range_: int = 0, shards: int = 1, job_: str = "sleeps-abcdefghijkl") -> BundleKey:
    return BundleKey(job_, range_, number, shards)


def ask(
    bundle: BundleKey | None = None, *, owner: str = "a", token: str = "", now_ms: int = NOW_MS, tasks: int = 3
) -> Claim:
    """A claim, made at a time; the token is the owner's and the time's unless it is named."""
    return Claim(
        key=bundle or key(),
        lines=LineNumbers.of(range(7, 7 + tasks)),
        event_ms=NOW_MS - 900,
        sent_ms=now_ms - 300,
        received_ms=now_ms - 20,
        owner=owner,
        token=token or f"{owner}@{now_ms}",
        now_ms=now_ms,
        until_ms=now_ms + LEASE_MS,
    )


def claimed(leases: Leases, claim: Claim) -> Lease:
    """The lease that this claim is given; fails if it is given none."""
    answer = leases.claim(claim)
    assert isinstance(answer, Claimed), answer
    return answer.lease


def succeeded(start_ms: int = NOW_MS, **changes: Any) -> TaskResult:
    fields: dict[str, Any] = {
        "state": TaskState.SUCCEEDED,
        "start_ms": start_ms,
        "duration_us": 10_250,
        "attempt": 1,
        "recorded_ms": start_ms + 40,
    }
    return TaskResult(**fields | changes)


def failed(error: str = "exit code 1", **changes: Any) -> TaskResult:
    return succeeded(state=TaskState.FAILED, error=error, **changes)


def range_report(range_: int = 0, **changes: Any) -> RangeReport:
    fields: dict[str, Any] = {
        "job": "sleeps-abcdefghijkl",
        "range": range_,
        "tasks": 100,
        "bundles": 2,
        "rejected": 3,
        "lines": 110,
        "started_ms": NOW_MS,
        "ended_ms": NOW_MS + 70,
        "api_calls": {"sqs.SendMessageBatch": 1},
    }
    return RangeReport(**fields | changes)


def worker_report(worker: str = "host-1", **changes: Any) -> WorkerReport:
    fields: dict[str, Any] = {
        "job": "sleeps-abcdefghijkl",
        "worker": worker,
        "slots": 4,
        "started_ms": NOW_MS,
        "seen_ms": NOW_MS + 1_000,
        "duplicates_dropped": 1,
        "leases_lost": 2,
        "waited_ms": 700,
        "unrecorded_runs": 3,
        "failed": 5,
        "api_calls": {"sqs.ReceiveMessage": 9, "dynamodb.UpdateItem": 4},
    }
    return WorkerReport(**fields | changes)


def worker_status(worker: str = "host-1", **changes: Any) -> WorkerStatus:
    fields: dict[str, Any] = {
        "worker": worker,
        "state": WorkerState.WORKING,
        "slots": 4,
        "busy": 3,
        "bundles": 20,
        "tasks": 1_280,
        "started_ms": NOW_MS - 60_000,
        "seen_ms": NOW_MS,
    }
    return WorkerStatus(**fields | changes)
