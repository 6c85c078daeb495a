"""Writes the results of a bundle in flight into the ledger; large values go to the object store first."""

import json
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from cloudkon.clock import Clock
from cloudkon.ledger.lease import BundleRow, Kept, LeaseLost, WriteAnswer
from cloudkon.ledger.results import MAX_VALUE_BYTES, Results, TaskResult, stamped
from cloudkon.ports import Leases, ObjectStore
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import InFlightBundle
from ec2_worker.pipeline.retry_policy import unmarked

Verb = Literal["checkpoint", "complete", "release"]


@dataclass(slots=True)
class ResultWriter:
    """Checkpoints, completes and releases; each returns the bundle's row, or None if the lease is lost.

    Each raises UnavailableError when the ledger or the store did not answer; the call may be repeated.
    """

    leases: Leases
    store: ObjectStore
    clock: Clock
    settings: Settings

    def checkpoint(self, bundle: InFlightBundle) -> BundleRow | None:
        """Renew the lease, with the results so far."""
        return self._write(bundle, "checkpoint")

    def complete(self, bundle: InFlightBundle) -> BundleRow | None:
        return self._write(bundle, "complete")

    def release(self, bundle: InFlightBundle) -> BundleRow | None:
        return self._write(bundle, "release")

    def _write(self, bundle: InFlightBundle, verb: Verb) -> BundleRow | None:
        with bundle.writing, bundle.step(verb):
            return self._write_alone(bundle, verb)

    def _write_alone(self, bundle: InFlightBundle, verb: Verb) -> BundleRow | None:
        now_ms, now_s = self.clock.now_ms(), self.clock.monotonic_s()
        fresh = list(bundle.results)
        results = stamped([self._fitting(bundle, index, result) for index, result in enumerate(fresh)], now_ms)
        answer: WriteAnswer
        match verb:
            case "checkpoint":
                answer = self.leases.checkpoint(bundle.lease, results, now_ms + self.settings.lease_ms, bundle.mark)
            case "complete":
                answer = self.leases.complete(bundle.lease, results, now_ms)
            case "release":
                answer = self.leases.release(bundle.lease, results, unmarked(bundle.mark))
            case _:
                assert_never(verb)
        match answer:
            case Kept(row):
                self._kept(bundle, fresh, results, now_s)
                return row
            case LeaseLost():
                return None
            case _:
                assert_never(answer)

    def _kept(self, bundle: InFlightBundle, fresh: Results, results: Results, now_s: float) -> None:
        for index, (before, result) in enumerate(zip(fresh, results, strict=True)):
            # What was stamped has ended in this attempt, so no slot writes there; what was not stamped stays alone.
            if result is not before:
                bundle.results[index] = result
        bundle.saved_s = now_s
        bundle.lease_ends_s = now_s + self.settings.lease_s - self.settings.guard_s

    def _fitting(self, bundle: InFlightBundle, index: int, result: TaskResult | None) -> TaskResult | None:
        if result is None or result.value is None:
            return result
        value = json.dumps(result.value).encode()
        if len(value) <= MAX_VALUE_BYTES:
            return result
        # The attempt's own key: a fenced-off owner can't overwrite what the completion names.
        key = f"values/{bundle.lease.key}/{bundle.lease.attempt}/{index}.json"
        with bundle.step("store"):
            self.store.write(key, value)
        if result.output is not None:
            return replace(result, value={"key": key})  # its output is what it stored itself
        return replace(result, value=None, output=key)
