"""The bundles that wait for a slot: the receiver adds them, the slots take them."""

import threading
from collections import deque

from ec2_worker.pipeline.in_flight import InFlightBundle, InFlightState
from ec2_worker.pipeline.prefetch import WorkEstimate, bundles_wanted
from ec2_worker.pipeline.retry_policy import strikes


class Backlog:
    """The bundles with tasks that no slot has taken, in the order of their receipt. Safe to share between threads.

    Whoever brings work wakes as many idle slots as it is for; the receiver is woken when it would receive something.
    To wake all of them at each change took 156 context switches a bundle with 64 slots.

    A task may take several slots: the others then stay idle until its bundle has no tasks left. A bundle of such tasks
    waits in its turn until enough are idle.

    A bundle whose worker died while one of its tasks was marked waits until no slot runs anything, and is run alone: of
    several tasks that were running when a worker died again, nobody could tell which one it was.
    """

    def __init__(self, slots: int, backlog_s: float) -> None:
        self.estimate = WorkEstimate()
        self._slots = slots
        self._backlog_s = backlog_s
        self._idle = 0
        self._reserved = 0
        """How many idle slots stay idle, because a task that runs needs more than one."""
        self._mine = threading.local()
        """Of the slot that asks: how many others it has kept idle."""
        self._bundles: deque[InFlightBundle] = deque()
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        """Idle slots wait for it."""
        self._wants = threading.Condition(self._lock)
        """The receiver waits for it."""
        self._receivers = 0
        self._alone = False
        """Whether a slot runs a suspect, and no other may run anything."""
        self.closed = False
        """Once it is, no slot starts another task; an attribute, since slots look at it after each task."""

    @property
    def busy(self) -> int:
        """How many slots are not waiting for work."""
        return max(0, self._slots - self._idle + self._reserved)

    def add(self, bundle: InFlightBundle) -> None:
        with self._lock:
            self._bundles.append(bundle)
            self.estimate.received(len(bundle.message.tasks))
            self._work.notify(1 if bundle.careful else bundle.waiting)

    def next(self) -> InFlightBundle | None:
        """Wait for a bundle with tasks left to take; None once the backlog is closed."""
        with self._lock:
            self._idle += 1
            self._free(getattr(self._mine, "others", 0))
            self._mine.others = 0
            if self._alone and self._idle == self._slots:
                self._end_alone()
            self._wake_receiver()
            try:
                while not self.closed:
                    if (bundle := self._next()) is not None:
                        self._mine.others = self._width(bundle) - 1
                        self._reserved += self._mine.others
                        return bundle
                    self._work.wait()
                return None
            finally:
                self._idle -= 1

    def _next(self) -> InFlightBundle | None:
        while self._bundles and not _has_work(self._bundles[0]):
            self._bundles.popleft()
        if self._alone or not self._bundles or self._idle - self._reserved < self._width(self._bundles[0]):
            return None
        if _is_suspect(self._bundles[0]):
            return self._next_beside_suspects()
        # A careful bundle is one slot's alone.
        return self._bundles.popleft() if self._bundles[0].careful else self._bundles[0]

    def _next_beside_suspects(self) -> InFlightBundle | None:
        """Of what the worker holds already, everything else first; then the suspect, once all slots are idle."""
        others = (bundle for bundle in self._bundles if _has_work(bundle) and not _is_suspect(bundle))
        found = next(others, None)
        if found is None:
            if self._idle < self._slots:
                return None
            self._alone = True
            return self._bundles.popleft()
        if found.careful:
            self._bundles.remove(found)
        return found

    def _width(self, bundle: InFlightBundle) -> int:
        """How many slots a task of the bundle takes."""
        return max(1, min(bundle.task_slots, self._slots))

    def _free(self, others: int) -> None:
        self._reserved -= others
        if others:
            self._work.notify(others)

    def lost(self, bundle: InFlightBundle) -> None:
        """Let the slots go on that stayed idle for a task of the bundle: the slot that runs it will not come back."""
        with self._lock:
            self._free(self._width(bundle) - 1)

    def suspect_ended(self) -> None:
        """Let the other slots go on: the task that was run alone has ended, and its worker lives."""
        with self._lock:
            if self._alone:
                self._end_alone()
                self._wake_receiver()

    def _end_alone(self) -> None:
        self._alone = False
        self._work.notify_all()

    def measured(self, bundle: InFlightBundle) -> None:
        """Learn from a finished bundle how long its tasks took."""
        with self._lock:
            self.estimate.ran(bundle.mean_task_s)
            self._wake_receiver()

    def wait_until_wanted(self, timeout_s: float) -> int:
        """Wait until slots need more bundles; return how many, 0 after the timeout or when the backlog is closed."""
        with self._lock:
            self._receivers += 1
            try:
                self._wants.wait_for(lambda: self.closed or self._wanted() > 0, timeout_s)
            finally:
                self._receivers -= 1
            return 0 if self.closed else self._wanted()

    def take_untouched(self) -> list[InFlightBundle]:
        """Remove and return the bundles of which no slot has taken a task."""
        with self._lock:
            untouched = [bundle for bundle in self._bundles if bundle.untouched]
            self._bundles = deque(bundle for bundle in self._bundles if not bundle.untouched)
            return untouched

    def close(self) -> None:
        """Let no slot start another task."""
        with self._lock:
            self.closed = True
            self._work.notify_all()
            self._wants.notify_all()

    def _wake_receiver(self) -> None:
        if self._receivers and self._wanted() > 0:
            self._wants.notify_all()

    def _wanted(self) -> int:
        if self._alone or any(map(_is_suspect, self._bundles)):
            return 0
        waiting = sum(bundle.waiting for bundle in self._bundles)
        return bundles_wanted(
            self.estimate,
            slots=self._slots,
            idle=self._idle - self._reserved,
            waiting=waiting,
            backlog_s=self._backlog_s,
        )


def _has_work(bundle: InFlightBundle) -> bool:
    return bundle.state is InFlightState.RUNNING and bundle.waiting > 0


def _is_suspect(bundle: InFlightBundle) -> bool:
    """Whether its last worker died while a task of it was marked that has not ended since."""
    if not bundle.careful or bundle.mark is None or not strikes(bundle.mark, bundle.mark.index):
        return False
    result = bundle.results[bundle.mark.index]
    return result is None or not result.is_final
