"""Answers why nothing is happening: what a job waits for, from the ledger's rows and the queues' approximate depths."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cloudkon.ledger.fleet import WorkerState, WorkerStatus
from cloudkon.ledger.job import Job, JobState
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.reports.stats import JobStats
from cloudkon.telemetry.throttling import by_operation

SEEN_S = 60
"""A worker that has not reported for so long is not counted."""


class Holdup(StrEnum):
    """What a job waits for."""

    COMPLETE = "complete"  # nothing
    CANCELLED = "cancelled"  # nothing, for good
    PAUSED = "paused"  # a person, to resume it
    DISPATCHING = "dispatching"  # the dispatcher
    NO_WORKERS = "no-workers"  # a person, to start workers
    SICK_WORKERS = "sick-workers"  # the workers, to recover
    THROTTLED = "throttled"  # AWS, to allow more requests, or a person, to let fewer be made
    RUNNING = "running"  # the workers that hold its bundles
    ABANDONED = "abandoned"  # leases to lapse, and messages to come back
    RETRYING = "retrying"  # the backoff of tasks that failed
    RELEASED = "released"  # messages to come back
    WAITING = "waiting"  # workers, to receive its messages
    OUT_OF_SIGHT = "out-of-sight"  # messages that somebody has received, or that are delayed
    MISSING = "missing"  # messages that no queue seems to have
    DEAD_LETTERS = "dead-letters"  # a person, to look at them


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that holds a job up, and the sentence that a person reads about it."""

    holdup: Holdup
    says: str


@dataclass(frozen=True, slots=True)
class Depths:
    """How many messages there are, approximately, as SQS reports them."""

    visible: int
    in_flight: int
    delayed: int
    dead: int


@dataclass(slots=True)
class Unfinished:
    """Counts the bundles that are claimed and not done."""

    now_ms: int
    held_by: Counter[str] = field(default_factory=Counter)
    """How many bundles each living lease's owner has."""
    abandoned: int = 0
    retrying: int = 0
    released: int = 0

    def add(self, row: BundleRow) -> None:
        """Count a bundle's row, unless the bundle is done."""
        match row.state:
            case BundleState.LEASED if row.lease_until_ms > self.now_ms:
                self.held_by[row.owner] += 1
            case BundleState.LEASED:
                self.abandoned += 1
            case BundleState.RELEASED if any(result and not result.is_final for result in row.results):
                self.retrying += 1
            case BundleState.RELEASED:
                self.released += 1
            case BundleState.DONE:
                pass


def diagnose(
    stats: JobStats, unfinished: Unfinished, workers: Sequence[WorkerStatus], depths: Depths | None, *, ranges: int
) -> list[Diagnosis]:
    """What holds the job up, the most telling first; ranges counts those that were dispatched.

    Depths are None where there is no queue outside the run itself.
    """
    job = stats.job
    diagnoses = [_flags(stats, job), _dispatch(job, ranges)]
    if not stats.ended:
        diagnoses += [_workers(unfinished, workers, depths), _throttled(workers)]
        diagnoses += [*_bundles(unfinished), _unclaimed(stats, depths)]
    diagnoses.append(_dead(depths))
    return [diagnosis for diagnosis in diagnoses if diagnosis is not None]


def _flags(stats: JobStats, job: Job) -> Diagnosis | None:
    if stats.state is JobState.COMPLETE:
        return Diagnosis(Holdup.COMPLETE, "It is complete: every task has its result.")
    if stats.state is JobState.CANCELLED:
        left = stats.tasks.total - stats.tasks.ended
        return Diagnosis(Holdup.CANCELLED, f"It was cancelled: {left:,} tasks have no result, and will not run.")
    if stats.paused is not None:
        return Diagnosis(Holdup.PAUSED, f"It is paused: {stats.paused}. Let it go on: cloudkon-cli resume {job.id}")
    return None


def _dispatch(job: Job, ranges: int) -> Diagnosis | None:
    if ranges >= job.ranges:
        return None
    return Diagnosis(
        Holdup.DISPATCHING, f"{job.ranges - ranges:,} of its {job.ranges:,} ranges are not dispatched yet."
    )


def _workers(unfinished: Unfinished, workers: Sequence[WorkerStatus], depths: Depths | None) -> Diagnosis | None:
    able = [worker for worker in workers if worker.state in (WorkerState.WORKING, WorkerState.IDLE)]
    if able or unfinished.held_by:
        return None
    sick = [worker for worker in workers if worker.state is WorkerState.SICK]
    if sick:
        reasons = "; ".join(sorted({worker.reason for worker in sick if worker.reason}))
        return Diagnosis(Holdup.SICK_WORKERS, f"Of {len(sick):,} workers all are sick: {reasons or 'no reason given'}.")
    here = "python -m ec2_worker, or in AWS cloudkon-cli workers start"
    start = here if depths is not None else "cloudkon-cli run LOCAL -s FILE --resume"
    return Diagnosis(Holdup.NO_WORKERS, f"No worker was heard of in the last {SEEN_S} s. Start one: {start}")


def _throttled(workers: Sequence[WorkerStatus]) -> Diagnosis | None:
    refused = [worker.throttled for worker in workers if worker.throttled and worker.state is not WorkerState.STOPPED]
    if not refused:
        return None
    requests: Counter[str] = Counter()
    for each in refused:
        requests.update(each)
    return Diagnosis(
        Holdup.THROTTLED,
        f"AWS has throttled {requests.total():,} requests of {len(refused):,} workers in the last minute: "
        f"{by_operation(requests)}. They are made again, and nothing is lost; if it goes on, run fewer workers, "
        "or larger bundles.",
    )


def _bundles(unfinished: Unfinished) -> list[Diagnosis | None]:
    held, owners = unfinished.held_by.total(), len(unfinished.held_by)
    kinds: Mapping[Holdup, tuple[int, str]] = {
        Holdup.RUNNING: (held, f"{held:,} bundles are held by {owners:,} workers, which run their tasks."),
        Holdup.ABANDONED: (
            unfinished.abandoned,
            f"{unfinished.abandoned:,} bundles are leased no more: their workers have died, and others will take over.",
        ),
        Holdup.RETRYING: (
            unfinished.retrying,
            f"{unfinished.retrying:,} bundles wait for the backoff of tasks that failed.",
        ),
        Holdup.RELEASED: (
            unfinished.released,
            f"{unfinished.released:,} bundles were given back by their workers, and wait to be received.",
        ),
    }
    return [Diagnosis(holdup, says) for holdup, (count, says) in kinds.items() if count]


def _unclaimed(stats: JobStats, depths: Depths | None) -> Diagnosis | None:
    bundles = stats.bundles
    left = bundles.total - bundles.done - bundles.leased - bundles.released
    if left <= 0:
        return None
    if depths is None or depths.visible:
        about = f" (about {depths.visible:,} messages of all jobs are visible there)" if depths else ""
        return Diagnosis(Holdup.WAITING, f"{left:,} bundles wait on the task queue{about}.")
    if depths.in_flight or depths.delayed:
        return Diagnosis(
            Holdup.OUT_OF_SIGHT,
            f"{left:,} bundles are on their way: about {depths.in_flight:,} messages of all jobs were received by "
            f"somebody, about {depths.delayed:,} are delayed.",
        )
    return Diagnosis(
        Holdup.MISSING,
        f"{left:,} bundles were sent and never claimed, and the task queue seems to be empty. Its depth is a guess: "
        f"ask again in a minute. If it stays so, look into the dead letters, or cancel {stats.job.id} and retry it: "
        "what has not run is run then, as a job of its own.",
    )


def _dead(depths: Depths | None) -> Diagnosis | None:
    if depths is None or not depths.dead:
        return None
    return Diagnosis(
        Holdup.DEAD_LETTERS,
        f"About {depths.dead:,} messages of all jobs are in the dead-letter queue: cloudkon-cli dead list",
    )
