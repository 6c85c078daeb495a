"""Decides, before a bundle is claimed, whether its job is to be run: it may be paused, or cancelled.

    open ------> the bundle is claimed
    paused ----> its message is moved to the parked queue, from where `resume` brings it back; where there is no such
                 queue it is hidden for a while
    cancelled -> its message is deleted; nothing of it runs

A job's row is read once in two seconds, however many bundles of it come: the calls a task costs stay what they are.
"""

import threading
from dataclasses import dataclass, field

from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import Job
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

    def why_refused(self, bundle: Bundle) -> str | None:
        """Why the bundle belongs to no job of the ledger, and is never to be run; None if it belongs to one."""
        return why_foreign(bundle, self.job(bundle.key.job))

    def admits(self, job_id: str, delivery: Delivery) -> bool:
        """Whether the delivered bundle may be claimed; if not, its message has been dealt with."""
        job = self.job(job_id)
        if job is None or (job.cancelled_ms is None and job.paused_ms is None):
            return True
        if job.cancelled_ms is not None:
            self._queue.delete([delivery.receipt])
        elif self._parked is not None:
            self._park(job_id, delivery, self._parked)
        else:
            self._queue.hide([delivery.receipt], self._hide_s(job.paused_ms or 0))
        return False

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

    def _park(self, job_id: str, delivery: Delivery, parked: TaskQueue) -> None:
        """Move the message to the parked queue, unless the job has been resumed meanwhile.

        resume: the row changes ------> all that is parked is brought back
        here:   a copy is parked -> the row is read -> paused: the message is deleted, and the copy is still to be
                                                       brought back
                                                    -> resumed: the message stays, and the copy may be left behind
        """
        send_batch(parked, [delivery.body], self._clock)
        job = self._history.job(job_id)
        if job is not None and job.paused_ms is None and job.cancelled_ms is None:
            self.forget(job_id)
            self._queue.hide([delivery.receipt], 0)
        else:
            self._queue.delete([delivery.receipt])

    def _hide_s(self, paused_ms: int) -> float:
        paused_s = (self._clock.now_ms() - paused_ms) / 1000
        return min(max(_HIDE_S, paused_s / _HIDE_SHARE), _MOST_HIDE_S)
