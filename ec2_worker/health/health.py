r"""Whether a worker should receive anything, decided purely.

    WELL --something is wrong--> SICK --after a backoff, if the machine is well again--> WELL
     ^                           ^  \--after a backoff, if tasks were wrong--> ON TRIAL
     |                           \--one more bundle without a success-------/   /
     \--a success, or nothing came----------------------------------------------/

Wrong is a nearly full disk, a ledger that does not answer, a store that takes no values, and tasks that fail here and
succeed elsewhere: the last bundles of a job ended here without one task that succeeded, while more of the other workers
on that job succeed with it than fail. So a job whose tasks fail everywhere makes no worker sick, nor does a lonely
worker find itself so, and never can most of a job's workers stop over it.
"""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloudkon.backoff import Backoff
from cloudkon.errors import CloudKonError
from cloudkon.ledger.fleet import WorkerStatus
from cloudkon.settings import Settings

_JOBS_REMEMBERED = 8
_TRIAL_S = 300.0
"""After working again for so long without another bundle of failures, a worker is taken to be well."""


class SickError(CloudKonError):
    """The worker could not work for too long; another machine may."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What there is to be seen of a worker's health."""

    free_disk_bytes: int
    ledger_silent_s: float = 0.0
    """For how long the ledger has not answered; 0 if it answered last."""
    failing: Mapping[str, int] = field(default_factory=dict)
    """For each job, how many bundles in a row ended here without a success."""
    others: Sequence[WorkerStatus] = ()
    store_failing_s: float = 0.0
    """For how long values could not be stored; 0 if the last one was."""
    store_failure: str = ""


class Streaks:
    """Counts, for the latest jobs, the bundles in a row that ended here without one task that succeeded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bare: dict[str, int] = {}

    def ended(self, job: str, *, succeeded: bool) -> None:
        with self._lock:
            before = self._bare.pop(job, 0)  # the latest job comes last
            self._bare[job] = 0 if succeeded else before + 1
            while len(self._bare) > _JOBS_REMEMBERED:
                del self._bare[next(iter(self._bare))]

    def now(self) -> dict[str, int]:
        with self._lock:
            return dict(self._bare)


def _jittered(_: float, bound_s: float) -> float:
    return random.uniform(bound_s / 2, bound_s)


@dataclass(slots=True)
class Health:
    """Says why the worker should receive nothing, for as long as it should not."""

    settings: Settings
    backoff: Backoff = field(default_factory=lambda: Backoff(base_s=10.0, cap_s=120.0, uniform=_jittered))
    reason: str = ""
    """Empty while it may receive."""
    _since_s: float | None = None
    """Since when it has been sick, or working again without a success yet."""
    _falls: int = 0
    _again_s: float = 0.0
    """While sick: when to look again. While it works again for a try: when the try is over."""
    _suspect: str | None = None
    """While sick over tasks: whose."""
    _forgiven: dict[str, int] = field(default_factory=dict)
    """While it works again for a try: how much of a job's streak does not count."""

    def look(self, signs: Signs, now_s: float) -> None:
        """Decide anew."""
        self._forgiven = {job: n for job, n in self._forgiven.items() if signs.failing.get(job, 0) >= n}
        wrong = self._wrong_with_machine(signs)
        if self.reason and now_s < self._again_s:
            return
        if wrong:
            self._fall(wrong, None, now_s)
        elif self.reason and self._suspect is not None:
            self._try_again(signs.failing.get(self._suspect, 0), now_s)
        elif self.reason:
            self._recover()
        elif found := self._wrong_with_tasks(signs):
            self._fall(*found, now_s)
        elif not self._forgiven or now_s >= self._again_s:
            self._recover()

    def is_suspicious(self, failing: Mapping[str, int]) -> bool:
        """Whether the other workers have to be asked."""
        return not self.reason and any(self._is_long(job, streak) for job, streak in failing.items())

    def given_up(self, now_s: float) -> bool:
        """Whether it has been sick, tries included, for longer than anyone should wait."""
        return bool(self.reason) and self._since_s is not None and now_s - self._since_s >= self.settings.sick_exit_s

    def _fall(self, reason: str, suspect: str | None, now_s: float) -> None:
        self.reason, self._suspect = reason, suspect
        self._since_s = now_s if self._since_s is None else self._since_s
        self._falls += 1
        self._again_s = now_s + self.backoff.delay_s(self._falls)

    def _try_again(self, streak: int, now_s: float) -> None:
        """Work again for a try: one more bundle without a success makes it sick."""
        if self._suspect is not None:
            self._forgiven[self._suspect] = streak - self.settings.failing_bundles + 1
        self.reason, self._again_s = "", now_s + _TRIAL_S

    def _recover(self) -> None:
        self.reason, self._suspect, self._since_s, self._falls = "", None, None, 0
        self._forgiven.clear()

    def _is_long(self, job: str, streak: int) -> bool:
        return 0 < self.settings.failing_bundles <= streak - self._forgiven.get(job, 0)

    def _wrong_with_machine(self, signs: Signs) -> str:
        least_mb, free_mb = self.settings.free_disk_mb, signs.free_disk_bytes / 1e6
        if free_mb < least_mb:
            return f"{free_mb:.0f} MB are free on the disk of the temporary files, and {least_mb} MB are the least"
        if signs.ledger_silent_s > self.settings.ledger_patience_s:
            return f"the ledger has not answered for {signs.ledger_silent_s:.0f} s"
        if signs.store_failing_s > self.settings.ledger_patience_s:
            return f"values could not be stored for {signs.store_failing_s:.0f} s: {signs.store_failure}"
        return ""

    def _wrong_with_tasks(self, signs: Signs) -> tuple[str, str] | None:
        """The reason, and the job that gives it."""
        for job, streak in signs.failing.items():
            if not self._is_long(job, streak):
                continue
            streaks = [other.failing[job] for other in signs.others if job in other.failing]
            well = streaks.count(0)
            if 2 * well > len(streaks):
                reason = (
                    f"{streak} bundles of {job} in a row had no task that succeeded here, "
                    f"while {well} of the {len(streaks)} other workers on it succeed"
                )
                return reason, job
        return None
