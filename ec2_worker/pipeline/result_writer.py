"""Writes a held bundle's results into the ledger; what is too large for it goes to the object store first."""

import json
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from cloudkon.clock import Clock
from cloudkon.ledger.lease import BundleRow, Kept, LeaseLost, WriteAnswer
from cloudkon.ledger.results import MAX_VALUE_BYTES, JsonText, Results, TaskResult, stamped
from cloudkon.ports import Leases, ObjectStore
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import Held
from ec2_worker.pipeline.retry_policy import unmarked


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
        with held.writing, held.step(verb):
            return self._write_alone(held, verb)

    def _write_alone(self, held: Held, verb: Literal["checkpoint", "complete", "release"]) -> BundleRow | None:
        now_ms, now_s = self.clock.now_ms(), self.clock.monotonic_s()
        fresh = list(held.results)
        results = stamped([self._fitting(held, index, result) for index, result in enumerate(fresh)], now_ms)
        answer: WriteAnswer
        match verb:
            case "checkpoint":
                answer = self.leases.checkpoint(held.lease, results, now_ms + self.settings.lease_ms, held.mark)
            case "complete":
                answer = self.leases.complete(held.lease, results, now_ms)
            case "release":
                answer = self.leases.release(held.lease, results, unmarked(held.mark))
            case _:
                assert_never(verb)
        match answer:
            case Kept(row):
                self._kept(held, fresh, results, now_s)
                return row
            case LeaseLost():
                return None
            case _:
                assert_never(answer)

    def _kept(self, held: Held, fresh: Results, results: Results, now_s: float) -> None:
        for index, (before, result) in enumerate(zip(fresh, results, strict=True)):
            # What was stamped has ended in this attempt, so no slot writes there; what was not stamped stays alone.
            if result is not before:
                held.results[index] = result
        held.saved_s = now_s
        held.lease_ends_s = now_s + self.settings.lease_s - self.settings.guard_s

    def _fitting(self, held: Held, index: int, result: TaskResult | None) -> TaskResult | None:
        if result is None or result.value is None:
            return result
        text = result.value.text if isinstance(result.value, JsonText) else json.dumps(result.value)
        value = text.encode()
        if len(value) <= MAX_VALUE_BYTES:
            return result
        # The attempt's own key: a fenced-off owner can't overwrite what the completion names.
        key = f"values/{held.lease.key}/{held.lease.attempt}/{index}.json"
        with held.step("store"):
            self.store.write(key, value)
        if result.output is not None:
            return replace(result, value={"key": key})  # its output is what it stored itself
        return replace(result, value=None, output=key)
