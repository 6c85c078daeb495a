"""Where a paused job's messages rest: a queue of their own, which nobody receives from while the job is paused.

    task queue --worker meets a paused job--> parked queue --resume--> task queue
                                                           --cancel--> deleted

On the task queue they would be hidden again and again: in flight all the time, of which SQS allows 120,000 a queue, and
counted by the scaling as work. A message is deleted only after its successor was accepted: if both stay, the claim
tells them apart.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cloudkon.clock import Clock
from cloudkon.errors import WireError
from cloudkon.messages.sending import send_batch
from cloudkon.messages.wire import decode_bundle
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, Delivery, TaskQueue

_THREADS = 4
_HIDDEN_S = 30.0
"""How long messages stay hidden if whoever moves them dies."""
_LATE_S = 5.0
"""SQS's counts are about right, and a little late."""
_LOOK_S = 1.0


def _nobody() -> int:
    return 0


def _in_silence(_held: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ParkedMessages:
    """The messages of all paused jobs of a stage."""

    parked: TaskQueue
    clock: Clock
    wait_s: float = 1.0
    """A long poll asks all of a queue's servers: nothing found means that nothing is there."""
    held: Callable[[], int] = _nobody
    """About how many messages are hidden: another command moves messages, or did when it was killed."""
    told: Callable[[int], None] = _in_silence
    """Called once with that number, where it is waited for."""

    def bring_back(self, job: str, tasks: TaskQueue) -> int:
        """Put the job's messages onto its queue; return how many. Whoever is interrupted may call it again.

        What somebody else holds is waited for, half a minute at most: it may be this job's, and nobody would come for
        it when it is visible again.
        """

        def act(some: Sequence[Delivery]) -> None:
            send_batch(tasks, [each.body for each in some], self.clock)

        ends_s = self.clock.monotonic_s() + _HIDDEN_S + _LATE_S
        done, waits = self._each(job, act), False
        while (held := self.held()) and self.clock.monotonic_s() < ends_s:
            if not waits:
                self.told(held)
            waits = True
            self.clock.sleep(_LOOK_S)
            done += self._each(job, act)
        return done

    def discard(self, job: str) -> int:
        """Delete the job's messages; return how many."""
        return self._each(job, lambda _: None)

    def _each(self, job: str, act: Callable[[Sequence[Delivery]], None]) -> int:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="parked") as pool:
            return sum(pool.map(lambda _: self._empty(job, act), range(_THREADS)))

    def _empty(self, job: str, act: Callable[[Sequence[Delivery]], None]) -> int:
        """Those of other jobs stay hidden until the end, or until they begin to come again."""
        others: list[str] = []
        seen: set[int] = set()
        done = 0
        try:
            while deliveries := self.parked.receive(MAX_BATCH_MESSAGES, self.wait_s, _HIDDEN_S):
                ours = [each for each in deliveries if _job_of(each) == job]
                others += [each.receipt for each in deliveries if _job_of(each) != job]
                for some in sendable(ours):
                    act(some)
                    self.parked.delete([each.receipt for each in some])
                    done += len(some)
                known = {hash(each.body) for each in deliveries}
                if not ours and known <= seen:
                    break
                seen |= known
        finally:
            for start in range(0, len(others), MAX_BATCH_MESSAGES):
                self.parked.hide(others[start : start + MAX_BATCH_MESSAGES], 0)
        return done


def _job_of(delivery: Delivery) -> str | None:
    try:
        return decode_bundle(delivery.body).key.job
    except WireError:
        return None


def sendable(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Cut them so that one send takes each part."""
    parts: list[list[Delivery]] = []
    size_bytes = 0
    for each in deliveries:
        each_bytes = len(each.body.encode(errors="surrogatepass"))
        if not parts or size_bytes + each_bytes > MAX_MESSAGE_BYTES:
            parts.append([])
            size_bytes = 0
        parts[-1].append(each)
        size_bytes += each_bytes
    return parts
