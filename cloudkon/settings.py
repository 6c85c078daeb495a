"""Everything that can be set, with its default, its unit, and the inequalities that must hold.

Workers and the Lambda read each from the environment, as CLOUDKON_ and its name: CLOUDKON_LEASE_S=30 sets lease_s.
All machines of a stage should agree on guard_s and retention_days; the rest each may set for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from cloudkon.errors import InputError

_PREFIX = "CLOUDKON_"

MAX_IN_FLIGHT = 120_000
"""How many messages of a queue may have been received and not deleted; nobody receives any beyond.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"""
MANY_IN_FLIGHT = 96_000
"""From when on a person is told."""
# The longest that SQS keeps a message, and so the longest that work may wait for a worker.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
QUEUE_RETENTION_DAYS = 14
_MAX_VISIBILITY_S = 12 * 3600  # the same page


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; most are the durations of a lease and of what depends on it.

    Raises InputError when they contradict each other.
    """

    lease_s: float = 120.0
    """How long a claim holds without a sign of life."""
    guard_s: float = 2.0
    """How far the clocks of two machines may differ."""
    visibility_margin_s: float = 30.0
    """How much longer a message stays hidden than its bundle is leased."""
    checkpoint_s: float = 1.0
    """How often the results of a running bundle are written down: what a crash can repeat."""
    backlog_s: float = 1.0
    """How much work a worker holds beyond what its slots are running."""
    poll_s: float = 20.0
    """How long a receive waits for messages; SQS allows 20 s."""
    report_s: float = 5.0
    """How often a busy worker writes its counters down."""
    linger_s: float = 0.02
    """How long the settler waits to fill a batch."""
    drain_s: float = 90.0
    """How long a draining worker goes on with what it holds."""
    retries: int = 2
    """How often a task that failed is run again, unless its job or handler says otherwise: three tries in all."""
    retry_base_s: float = 1.0
    """The bound of the first wait before a retry; it doubles with each."""
    retry_cap_s: float = 900.0
    """The longest wait before a retry."""
    strikes: int = 2
    """How often a worker may die while a task runs, before the task is taken to be what kills it."""
    fruitless_claims: int = 10
    """How many claims in a row may end without any progress, before a bundle is given up."""
    overrun_grace_s: float = 1.0
    """How much longer than its timeout a task may take to stop by itself."""
    keep_logs: int = 0
    """1 to keep what every task printed and logged; 0 for those that failed."""
    cancel_s: float = 5.0
    """How late a bundle that a worker holds learns that its job was cancelled, or has reached its limit of failures."""
    breaker_tasks: int = 50
    """How many of a job's first tasks must all fail for the job to be paused; 0: it never is."""
    status_s: float = 15.0
    """How often a worker writes its status into its row."""
    lull_s: float = 60.0
    """How long a worker has to be idle before its instance may be scaled in."""
    free_disk_mb: int = 256
    """With less than this free for temporary files a worker is sick; 0 for never."""
    ledger_patience_s: float = 30.0
    """A worker whose ledger does not answer, or whose store takes no values, for longer is sick."""
    failing_bundles: int = 10
    """After so many bundles of a job without one success a worker asks whether others succeed; 0 for never."""
    sick_exit_s: float = 600.0
    """A worker that is sick for so long ends with exit code 69, for another machine to take its place."""
    trace_share: float = 1.0
    """Which share of all jobs is traced, from 0 to 1, by those that trace at all."""
    metrics_s: float = 60.0
    """How often a worker writes its metrics down, if it does: CloudWatch keeps them by the minute."""
    retention_days: int = 30
    """How long the ledger remembers: past the queue's own retention, or a late duplicate would run."""

    def __post_init__(self) -> None:
        _check(
            min(self.guard_s, self.backlog_s, self.linger_s, self.drain_s, self.lull_s) >= 0, "no duration is negative"
        )
        _check(self.breaker_tasks >= 0, "breaker_tasks is not negative")
        _check(self.report_s > 0, "report_s is positive")
        _check(self.cancel_s > 0, "cancel_s is positive")
        _check(0 < self.status_s <= 60, "status_s lies between 0 and 60, or workers would seem to be gone")
        _check(min(self.free_disk_mb, self.failing_bundles) >= 0, "free_disk_mb and failing_bundles are 0 or more")
        _check(self.ledger_patience_s >= 0, "ledger_patience_s is 0 or more")
        _check(self.sick_exit_s > 0, "sick_exit_s is positive")
        _check(0 < self.poll_s <= 20, "poll_s lies between 0 and 20, the longest wait of an SQS receive")
        _check(self.checkpoint_s > 0, "checkpoint_s is positive")
        _check(0 <= self.trace_share <= 1, "trace_share lies between 0 and 1")
        _check(self.metrics_s > 0, "metrics_s is positive")
        _check(self.retries >= 0, "retries is 0 or more")
        _check(self.strikes >= 1, "strikes is 1 or more")
        _check(self.fruitless_claims > self.strikes + 1, "fruitless_claims leaves room for the strikes of a task")
        _check(
            self.lease_s > 2 * self.guard_s + 2 * self.checkpoint_s,
            "lease_s is longer than two guards and two checkpoints, or every lease would lapse while it is used",
        )
        _check(
            self.visibility_margin_s > self.guard_s,
            "visibility_margin_s is longer than guard_s, or messages would come back while their bundle is leased",
        )
        _check(
            self.visibility_s <= _MAX_VISIBILITY_S,
            "lease_s and visibility_margin_s are together at most 12 hours, the longest that SQS hides a message",
        )
        _check(
            self.retention_days > QUEUE_RETENTION_DAYS,
            f"retention_days is more than the queue's {QUEUE_RETENTION_DAYS} days, or a late duplicate would run",
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **changes: Any) -> Self:
        """The defaults, changed by what the environment sets, changed by what the caller does.

        Raises InputError that names the variable which is no number, or the rule which is broken.
        """
        set_ = {
            field.name: _number(_PREFIX + field.name.upper(), said, whole=field.type is int)
            for field in fields(cls)
            if (said := environ.get(_PREFIX + field.name.upper()))
        }
        return cls(**set_ | changes)

    @property
    def heartbeat_s(self) -> float:
        """How often a lease without new results is renewed: two beats may be missed."""
        return self.lease_s / 3

    @property
    def visibility_s(self) -> float:
        """How long a received message stays hidden without a sign of life."""
        return self.lease_s + self.visibility_margin_s

    @property
    def lease_ms(self) -> int:
        return round(self.lease_s * 1000)

    @property
    def guard_ms(self) -> int:
        return round(self.guard_s * 1000)

    @property
    def retention_s(self) -> int:
        return self.retention_days * 86_400


def _check(holds: bool, rule: str) -> None:  # noqa: FBT001 (the condition is the argument)
    if not holds:
        raise InputError(f"These settings contradict each other: {rule}.")


def _number(variable: str, said: str, *, whole: bool) -> float:
    try:
        number = int(said) if whole else float(said)
    except ValueError as error:
        raise InputError(f"{variable}={said} is no {'whole ' if whole else ''}number.") from error
    if not abs(number) < float("inf"):
        raise InputError(f"{variable}={said} is no number that time can be measured in.")
    return number
