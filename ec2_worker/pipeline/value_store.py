"""Moves values that are too large for the ledger into the object store, before their results are recorded.

Nothing that renews a lease waits for it: a result whose value can't be stored is left out of checkpoints for as long.
"""

import logging
from dataclasses import dataclass, field, replace

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.results import TaskResult, is_large, json_text
from cloudkon.ports import ObjectStore
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import InFlight, InFlightBundle, InFlightState

log = logging.getLogger(__name__)

_TICKS_A_CHECKPOINT = 4


@dataclass(slots=True)
class ValueStore:
    """Stores the values of running bundles at each tick, and those of a bundle that is to be recorded when asked."""

    store: ObjectStore
    in_flight: InFlight
    clock: Clock
    settings: Settings
    backoff: Backoff = field(default_factory=lambda: Backoff(base_s=0.5, cap_s=15.0))
    failure: str = ""
    """Why the last value could not be stored; empty while the store works."""
    _failures: int = 0
    _failing_since_s: float = 0.0
    _again_s: float = float("-inf")

    @property
    def every_s(self) -> float:
        return self.settings.checkpoint_s / _TICKS_A_CHECKPOINT

    @property
    def failing_s(self) -> float:
        """For how long no value could be stored; 0 if the last one was."""
        return self.clock.monotonic_s() - self._failing_since_s if self.failure else 0.0

    def tick(self) -> None:
        """Store what running bundles have, so that their next checkpoints can hold it."""
        for bundle in self.in_flight.all():
            if bundle.state is InFlightState.RUNNING:
                self.try_store(bundle)

    def try_store(self, bundle: InFlightBundle) -> None:
        """Store the bundle's large values, as far as that is possible now: a store that just failed is left alone."""
        if self.clock.monotonic_s() < self._again_s:
            return
        try:
            self.store_all(bundle)
        except CloudKonError as error:
            log.warning("%s: %s A value waits to be stored.", bundle.lease.key, error)

    def store_all(self, bundle: InFlightBundle) -> None:
        """Store the bundle's large values; raise CloudKonError at the first one that can't be stored."""
        for index, result in bundle.results.others():
            if is_large(result):
                stored = self._stored(bundle, index, result)
                with bundle.writing:  # another thread may have stored, and recorded, the same value meanwhile
                    if bundle.results[index] is result:
                        bundle.results[index] = stored
                        bundle.left_out.discard(index)

    def _stored(self, bundle: InFlightBundle, index: int, result: TaskResult) -> TaskResult:
        # The attempt's own key: a fenced-off owner can't overwrite what the completion names.
        key = f"values/{bundle.lease.key}/{bundle.lease.attempt}/{index}.json"
        try:
            with bundle.step("store"):
                self.store.write(key, json_text(result.value).encode())
        except CloudKonError as error:
            self._failed(str(error))
            raise
        self.failure, self._failures, self._again_s = "", 0, float("-inf")
        if result.output is not None:
            return replace(result, value={"key": key})  # its output is what it stored itself
        return replace(result, value=None, output=key)

    def _failed(self, error: str) -> None:
        now_s = self.clock.monotonic_s()
        if not self.failure:
            self._failing_since_s = now_s
        self.failure = error
        self._failures += 1
        self._again_s = now_s + self.backoff.delay_s(self._failures)
