"""`run LOCAL --chaos SEED`: the same run, whose queues, ledger and stores have a bad day. Its result is the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError
from cloudkon.local.faults import Fault, Faults
from cloudkon.local.flaky import FlakyQueue, flaky
from cloudkon.ports import ObjectStore
from cloudkon.settings import Settings
from ec2_worker.services import Services

_Answer = TypeVar("_Answer")
_ODDS = {
    Fault.DUPLICATE: 0.05,
    Fault.REORDER: 0.2,
    Fault.REFUSE: 0.03,
    Fault.DELAY: 0.05,
    Fault.THROTTLE: 0.01,
    Fault.FAIL: 0.03,
    Fault.LOSE_ANSWER: 0.03,
}
_SHORT: Mapping[str, Any] = {
    # What a lost answer hides comes back within seconds; one machine has one clock, so hardly a guard is needed.
    "lease_s": 1.2,
    "guard_s": 0.1,
    "checkpoint_s": 0.2,
    "visibility_margin_s": 0.3,
    "poll_s": 0.1,
    # A lease this short lapses whenever the machine stalls, and that must not count as a task that kills its workers.
    "strikes": 20,
    "fruitless_claims": 100,
}
_THROTTLE_S = 0.1
_PATIENCE = Backoff(cap_s=1.0)


class Chaos:
    """The bad day of one run."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self.seed = seed
        self._clock = clock
        self._faults = Faults(seed, _ODDS, clock, throttle_s=_THROTTLE_S)

    def shortened(self, settings: Settings) -> Settings:
        return replace(settings, **_SHORT)

    def over(self, around: Services) -> Services:
        """Everything that a worker works on, as flaky as it gets."""
        faults = self._faults
        return replace(
            around,
            tasks=FlakyQueue(around.tasks, faults, "tasks"),
            process=FlakyQueue(around.process, faults, "process"),
            dead_letters=FlakyQueue(around.dead_letters, faults, "dead letters"),
            ledger=flaky(around.ledger, faults, "ledger"),
            results=flaky(around.results, faults, "results"),
        )

    def workloads(self, store: ObjectStore) -> ObjectStore:
        return flaky(store, self._faults, "workloads")

    def repeated(self, act: Callable[[], _Answer]) -> _Answer:
        """Do what a dispatcher does until it succeeds, as Lambda repeats an event whose function raised."""
        failures = 0
        while True:
            try:
                return act()
            except UnavailableError:
                failures += 1
                self._clock.sleep(_PATIENCE.delay_s(failures))

    def __str__(self) -> str:
        """What was injected, by kind."""
        counts = [f"{count:,} {fault}" for fault, count in sorted(self._faults.injected.items()) if count]
        return f"Chaos, seed {self.seed}: {', '.join(counts) or 'nothing happened'}."
