"""Decides, before a bundle is claimed, whether its job is to be run: it may be paused, or cancelled.

    open ------> the bundle is claimed
    paused ----> its message is moved to the parked queue, from where `resume` brings it back; where there is no such
                 queue it is hidden for a while
    cancelled -> its message is deleted; nothing of it runs

A job's row is read once in two seconds, however many bundles of it come: the calls a task costs stay what they are.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import Job
from cloudkon.messages.parking import sendable
from cloudkon.messages.seal import why_foreign
from cloudkon.messages.sending import send_batch
from cloudkon.ports import Delivery, History, TaskQueue

KNOWN_S = 2.0
"""How old a job's row may be."""
_HIDE_S, _MOST_HIDE_S = 60.0, 900.0
_HIDE_SHARE = 4
"""A message is hidden for a quarter of the time for which its job has been paused, within the bounds above."""


@dataclass(slots=True)
class _Known:
    """A job's row as it was read last, or the error of that read. One thread reads it for all that wait at the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Job | UnavailableError | None = None
    until_s: float = float("-inf")


class Admission:
    """Safe to share between threads. Methods raise UnavailableError when the ledger or the queue does not answer."""

    def __init__(self, queue: TaskQueue, history: History, clock: Clock, parked: TaskQueue | None = None) -> None:
        self._queue = queue
        self._parked = parked
        self._history = history
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self.halted: set[str] = set()
        """Jobs of which nothing is to begin here, whatever their rows say until they are resumed."""

    def why_refused(self, bundle: Bundle) -> str | None:
        """Why the bundle belongs to no job of the ledger, and is never to be run; None if it belongs to one."""
        return why_foreign(bundle, self.job(bundle.key.job))

    def admits(self, job_id: str) -> bool:
        """Whether bundles of the job may be claimed; the messages of those that may not are to be turned away."""
        job = self.job(job_id)
        if job is None:
            return True
        is_halted = job_id in self.halted and job.resumed_ms is None
        return job.cancelled_ms is None and job.paused_ms is None and not is_halted

    def turn_away(self, job_id: str, deliveries: Sequence[Delivery]) -> None:
        """Deal with the messages, of one receive, of a job that is not to be run."""
        job = self.job(job_id)
        receipts = [each.receipt for each in deliveries]
        if job is not None and job.cancelled_ms is not None:
            self._queue.delete(receipts)
        elif job is None or job.paused_ms is None:  # resumed just now, or about to be paused
            self._queue.hide(receipts, KNOWN_S if job_id in self.halted else 0)
        elif self._parked is None:
            self._queue.hide(receipts, self._hide_s(job.paused_ms))
        else:
            for some in sendable(deliveries):
                self._park(job_id, some, self._parked)

    def seen(self, job_id: str) -> Job | None:
        """The job's row as it was last read, without asking for it."""
        known = self._known.get(job_id)
        return known.answer if known is not None and isinstance(known.answer, Job) else None

    def job(self, job_id: str) -> Job | None:
        """The job's row, at most KNOWN_S old; None if there is none."""
        known = self._known.setdefault(job_id, _Known())
        with known.lock:
            if self._clock.monotonic_s() >= known.until_s:
                known.answer = self._read(job_id)
                known.until_s = self._clock.monotonic_s() + KNOWN_S
            if isinstance(known.answer, UnavailableError):
                raise known.answer
            return known.answer

    def forget(self, job_id: str) -> None:
        """Have the job's row read anew: it has just been changed from here."""
        self._known.pop(job_id, None)

    def _read(self, job_id: str) -> Job | UnavailableError | None:
        try:
            return self._history.job(job_id)
        except UnavailableError as error:
            return error  # kept like a row: the next bundle must not wait for the same silence

    def _park(self, job_id: str, deliveries: Sequence[Delivery], parked: TaskQueue) -> None:
        """Move the messages to the parked queue, unless the job has been resumed meanwhile.

        resume: the row changes --------> all that is parked is brought back
        here:   copies are parked -> the row is read -> paused: the messages are deleted, and the copies are still to be
                                                        brought back
                                                     -> resumed: the messages stay, and copies may be left behind
        """
        receipts = [each.receipt for each in deliveries]
        send_batch(parked, [each.body for each in deliveries], self._clock)
        job = self._history.job(job_id)
        if job is not None and job.paused_ms is None and job.cancelled_ms is None:
            self.forget(job_id)
            self._queue.hide(receipts, 0)
        else:
            self._queue.delete(receipts)

    def _hide_s(self, paused_ms: int) -> float:
        paused_s = (self._clock.now_ms() - paused_ms) / 1000
        return min(max(_HIDE_S, paused_s / _HIDE_SHARE), _MOST_HIDE_S)
