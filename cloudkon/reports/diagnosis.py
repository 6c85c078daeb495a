"""Answers why nothing is happening: what a job waits for, from the ledger's rows and the queues' approximate depths."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cloudkon.ledger.fleet import WorkerState, WorkerStatus
from cloudkon.ledger.job import Job, JobState
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.reports.stats import JobStats
from cloudkon.settings import MANY_IN_FLIGHT, MAX_IN_FLIGHT
from cloudkon.telemetry.throttling import by_operation

DOUBT_S = 20
"""Workers that are well report at least every 15 s: one that was not heard of for so long may have died."""
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
    STOPPED = "stopped"  # a person, to resume a LOCAL run whose process has ended
    SILENT = "silent"  # the leases of workers that may have died, to lapse
    RUNNING = "running"  # the workers that hold its bundles
    ABANDONED = "abandoned"  # leases to lapse, and messages to come back
    RETRYING = "retrying"  # the backoff of tasks that failed
    RELEASED = "released"  # messages to come back
    WAITING = "waiting"  # workers, to receive its messages
    OUT_OF_SIGHT = "out-of-sight"  # messages that somebody has received, or that are delayed
    PARKED = "parked"  # a person, to resume jobs: their messages rest on a queue of their own
    CROWDED = "crowded"  # messages in flight, to end: SQS gives out no others beyond its limit
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
    parked: int = 0
    """Those of all paused jobs."""


@dataclass(slots=True)
class Unfinished:
    """Counts the bundles that are claimed and not done."""

    now_ms: int
    held_by: Counter[str] = field(default_factory=Counter)
    """How many bundles each living lease's owner has."""
    held_until_ms: dict[str, int] = field(default_factory=dict)
    """When the last of them ends."""
    abandoned: int = 0
    retrying: int = 0
    released: int = 0

    def add(self, row: BundleRow) -> None:
        """Count a bundle's row, unless the bundle is done."""
        match row.state:
            case BundleState.LEASED if row.lease_until_ms > self.now_ms:
                self.held_by[row.owner] += 1
                self.held_until_ms[row.owner] = max(row.lease_until_ms, self.held_until_ms.get(row.owner, 0))
            case BundleState.LEASED:
                self.abandoned += 1
            case BundleState.RELEASED if any(result and not result.is_final for result in row.results):
                self.retrying += 1
            case BundleState.RELEASED:
                self.released += 1
            case BundleState.DONE:
                pass


def diagnose(
    stats: JobStats,
    unfinished: Unfinished,
    workers: Sequence[WorkerStatus],
    depths: Depths | None,
    *,
    ranges: int,
    resume: str | None = None,
) -> list[Diagnosis]:
    """What holds the job up, the most telling first; ranges counts those that were dispatched.

    Depths are None where there is no queue outside the run itself. resume is the command that goes on with a LOCAL run
    whose process has ended, and None for every other job.
    """
    job = stats.job
    diagnoses = [_flags(stats, job), None if resume else _dispatch(job, ranges)]
    if resume is not None:
        left = stats.tasks.total - stats.tasks.ended
        diagnoses.append(
            Diagnosis(Holdup.STOPPED, f"Its process has ended, and {_tasks(left, 'are')} left. Go on with: {resume}")
        )
    elif not stats.ended:
        heard = [worker for worker in workers if unfinished.now_ms - worker.seen_ms < SEEN_S * 1000]
        diagnoses += [_workers(unfinished, heard, depths), _throttled(heard), _crowded(depths)]
        diagnoses += [*_bundles(unfinished, workers), _unclaimed(stats, depths)]
    diagnoses.append(_dead(depths))
    return [diagnosis for diagnosis in diagnoses if diagnosis is not None]


def _flags(stats: JobStats, job: Job) -> Diagnosis | None:
    if stats.state is JobState.COMPLETE:
        return Diagnosis(Holdup.COMPLETE, _complete(stats))
    if stats.state is JobState.CANCELLED:
        left = stats.tasks.total - stats.tasks.ended
        return Diagnosis(Holdup.CANCELLED, f"It was cancelled: {_tasks(left, 'have')} no result, and will not run.")
    if stats.paused is not None:
        return Diagnosis(Holdup.PAUSED, f"It is paused: {stats.paused}. Let it go on: cloudkon-cli resume {job.id}")
    return None


def _complete(stats: JobStats) -> str:
    if stats.tasks.succeeded == stats.tasks.total:
        return "Every task has succeeded."
    return f"Every task has its result. See why some failed: cloudkon-cli failed {stats.job.id}"


def _tasks(count: int, verb: str) -> str:
    """The count with its noun and verb: 1 task is, 2 tasks are."""
    return f"1 task {_SINGULAR[verb]}" if count == 1 else f"{count:,} tasks {verb}"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_SINGULAR = {"are": "is", "have": "has", "wait": "waits", "were": "was"}


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
        f"AWS has throttled {requests.total():,} requests of {_count(len(refused), 'worker')} in the last minute: "
        f"{by_operation(requests)}. They are made again, and nothing is lost; if it goes on, run fewer workers, "
        "or larger bundles.",
    )


def _bundles(unfinished: Unfinished, workers: Sequence[WorkerStatus]) -> list[Diagnosis | None]:
    silent = _silent(unfinished, workers)
    held = {worker: count for worker, count in unfinished.held_by.items() if worker not in silent}
    kinds: Mapping[Holdup, tuple[int, str]] = {
        Holdup.SILENT: (len(silent), " ".join(silent.values())),
        Holdup.RUNNING: (len(held), f"{_bundle(sum(held.values()), 'are')} held by {_count(len(held), 'worker')}."),
        Holdup.ABANDONED: (
            unfinished.abandoned,
            f"The leases of {_count(unfinished.abandoned, 'bundle')} have ended: others will take over from the dead.",
        ),
        Holdup.RETRYING: (
            unfinished.retrying,
            f"{_bundle(unfinished.retrying, 'wait')} for the next try of tasks that failed.",
        ),
        Holdup.RELEASED: (
            unfinished.released,
            f"{_bundle(unfinished.released, 'were')} given back by their workers, and will be received again.",
        ),
    }
    return [Diagnosis(holdup, says) for holdup, (count, says) in kinds.items() if count]


def _bundle(count: int, verb: str) -> str:
    return f"1 bundle {_SINGULAR[verb]}" if count == 1 else f"{count:,} bundles {verb}"


def _silent(unfinished: Unfinished, workers: Sequence[WorkerStatus]) -> dict[str, str]:
    """The workers that hold bundles and may have died, each with a sentence about it."""
    seen = {worker.worker: worker.seen_ms for worker in workers if worker.state is not WorkerState.STOPPED}
    silent = {}
    for worker, held in unfinished.held_by.items():
        silent_s = (unfinished.now_ms - seen.get(worker, unfinished.now_ms)) // 1000
        if silent_s < DOUBT_S:
            continue
        until_s = (unfinished.held_until_ms[worker] - unfinished.now_ms + 999) // 1000
        silent[worker] = (
            f"{worker}, which holds {_count(held, 'bundle')}, was last heard of {silent_s} s ago. If it has died, "
            f"others take over once its leases have ended, in {until_s} s at the latest."
        )
    return silent


def _unclaimed(stats: JobStats, depths: Depths | None) -> Diagnosis | None:
    bundles = stats.bundles
    left = bundles.total - bundles.done - bundles.leased - bundles.released
    if left <= 0:
        return None
    if depths is None or depths.visible:
        about = f" (about {depths.visible:,} messages of all jobs are visible there)" if depths else ""
        return Diagnosis(Holdup.WAITING, f"{_bundle(left, 'wait')} on the task queue{about}.")
    if depths.parked:
        return _parked(stats, left, depths.parked)
    if depths.in_flight or depths.delayed:
        return Diagnosis(
            Holdup.OUT_OF_SIGHT,
            f"{_bundle(left, 'are')} on their way: about {depths.in_flight:,} messages of all jobs were received by "
            f"somebody, about {depths.delayed:,} are delayed.",
        )
    return Diagnosis(
        Holdup.MISSING,
        f"{_bundle(left, 'were')} sent and never claimed, and the task queue seems to be empty. Its depth is a guess: "
        f"ask again in a minute. If it stays so, look into the dead letters, or cancel {stats.job.id} and retry it: "
        "what has not run is run then, as a job of its own.",
    )


def _parked(stats: JobStats, left: int, parked: int) -> Diagnosis:
    about = f"About {parked:,} messages of paused jobs rest on a queue of their own"
    if stats.paused is not None:
        return Diagnosis(Holdup.PARKED, f"{about}, and are no work for anybody; {_bundle(left, 'wait')} there.")
    return Diagnosis(
        Holdup.PARKED,
        f"{about}. {_bundle(left, 'are')} neither claimed nor on the task queue, and may be among them: bring them "
        f"back with cloudkon-cli resume {stats.job.id}",
    )


def _crowded(depths: Depths | None) -> Diagnosis | None:
    if depths is None or depths.in_flight < MANY_IN_FLIGHT:
        return None
    return Diagnosis(
        Holdup.CROWDED,
        f"About {depths.in_flight:,} messages of the task queue are in flight. SQS allows {MAX_IN_FLIGHT:,}, and gives "
        "out no others until some of them end: use larger bundles, or fewer retries.",
    )


def _dead(depths: Depths | None) -> Diagnosis | None:
    if depths is None or not depths.dead:
        return None
    return Diagnosis(
        Holdup.DEAD_LETTERS,
        f"About {depths.dead:,} messages of all jobs are in the dead-letter queue: cloudkon-cli dead list",
    )
