"""Writes a held bundle's results into the ledger; what is too large for it goes to the object store first."""

import json
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from cloudkon.clock import Clock
from cloudkon.lease import BundleRow, Kept, LeaseLost, WriteAnswer
from cloudkon.ports import Leases, ObjectStore
from cloudkon.results import MAX_VALUE_BYTES, TaskResult, stamped
from cloudkon.settings import Settings
from ec2_worker.held import Held


@dataclass(slots=True)
class Recorder:
    """Checkpoints, completes and releases; each returns the bundle's row, or None if the lease is lost.

    Each raises UnavailableError when the ledger or the store did not answer; the call may be repeated.
    """

    leases: Leases
    store: ObjectStore
    clock: Clock
    settings: Settings

    def checkpoint(self, held: Held) -> BundleRow | None:
        """Renew the lease, with the results so far."""
        return self._write(held, "checkpoint")

    def complete(self, held: Held) -> BundleRow | None:
        return self._write(held, "complete")

    def release(self, held: Held) -> BundleRow | None:
        return self._write(held, "release")

    def _write(self, held: Held, verb: Literal["checkpoint", "complete", "release"]) -> BundleRow | None:
        now_ms, now_s = self.clock.now_ms(), self.clock.monotonic_s()
        results = stamped([self._fitting(held, index, result) for index, result in enumerate(held.results)], now_ms)
        answer: WriteAnswer
        match verb:
            case "checkpoint":
                answer = self.leases.checkpoint(held.lease, results, now_ms + self.settings.lease_ms)
            case "complete":
                answer = self.leases.complete(held.lease, results, now_ms)
            case "release":
                answer = self.leases.release(held.lease, results)
            case _:
                assert_never(verb)
        match answer:
            case Kept(row):
                self._kept(held, results, now_s)
                return row
            case LeaseLost():
                return None
            case _:
                assert_never(answer)

    def _kept(self, held: Held, results: list[TaskResult | None], now_s: float) -> None:
        for index, result in enumerate(results):
            if result is not None:
                held.results[index] = result
        held.saved_s = now_s
        held.lease_ends_s = now_s + self.settings.lease_s - self.settings.guard_s

    def _fitting(self, held: Held, index: int, result: TaskResult | None) -> TaskResult | None:
        if result is None or result.value is None or result.output is not None:
            return result
        value = json.dumps(result.value).encode()
        if len(value) <= MAX_VALUE_BYTES:
            return result
        # The attempt's own key: a fenced-off owner can't overwrite what the completion names.
        key = f"values/{held.lease.key}/{held.lease.attempt}/{index}.json"
        self.store.write(key, value)
        fitting = replace(result, value=None, output=key)
        held.results[index] = fitting
        return fitting
