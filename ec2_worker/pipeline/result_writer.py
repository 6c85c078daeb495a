"""Writes the results of a bundle in flight into the ledger."""

from dataclasses import dataclass
from typing import Literal, assert_never

from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError
from cloudkon.ledger.lease import BundleRow, Kept, LeaseLost, WriteAnswer
from cloudkon.ledger.result_columns import stamped
from cloudkon.ledger.results import Results
from cloudkon.ports import Leases
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import InFlightBundle
from ec2_worker.pipeline.retry_policy import unmarked
from ec2_worker.pipeline.value_store import ValueStore, is_large

Verb = Literal["checkpoint", "complete", "release"]


@dataclass(slots=True)
class ResultWriter:
    """Checkpoints, completes and releases; each returns the bundle's row, or None if the lease is lost.

    Each raises UnavailableError when the ledger did not answer; the call may be repeated.
    """

    leases: Leases
    values: ValueStore
    clock: Clock
    settings: Settings

    def checkpoint(self, bundle: InFlightBundle) -> BundleRow | None:
        """Renew the lease, with the results so far; those whose values are not stored yet are left out."""
        return self._write(bundle, "checkpoint")

    def complete(self, bundle: InFlightBundle) -> BundleRow | None:
        """Record all results; raises CloudKonError if a value can't be stored."""
        self.values.store_all(bundle)
        return self._write(bundle, "complete")

    def postpone(self, bundle: InFlightBundle) -> BundleRow | None:
        """Release the bundle for a retry, with all results; raises CloudKonError if a value can't be stored."""
        self.values.store_all(bundle)
        return self._write(bundle, "release")

    def give_back(self, bundle: InFlightBundle) -> BundleRow | None:
        """Release the bundle with what can be recorded now; tasks whose values can't be stored will run again."""
        self.values.try_store(bundle)
        return self._write(bundle, "release")

    def _write(self, bundle: InFlightBundle, verb: Verb) -> BundleRow | None:
        with bundle.writing, bundle.step(verb):
            return self._write_alone(bundle, verb)

    def _write_alone(self, bundle: InFlightBundle, verb: Verb) -> BundleRow | None:
        now_ms, now_s = self.clock.now_ms(), self.clock.monotonic_s()
        fresh = list(bundle.results)
        left_out = {index for index, result in enumerate(fresh) if is_large(result)}
        known = [bundle.recorded[index] if index in left_out else result for index, result in enumerate(fresh)]
        results = stamped(known, now_ms)
        answer: WriteAnswer
        match verb:
            case "checkpoint":
                answer = self.leases.checkpoint(bundle.lease, results, now_ms + self.settings.lease_ms, bundle.mark)
            case "complete":
                if left_out:
                    raise UnavailableError(f"{len(left_out)} values of {bundle.lease.key} are not stored yet.")
                answer = self.leases.complete(bundle.lease, results, now_ms)
            case "release":
                answer = self.leases.release(bundle.lease, results, unmarked(bundle.mark))
            case _:
                assert_never(verb)
        match answer:
            case Kept(row):
                self._kept(bundle, fresh, results, left_out, now_s)
                return row
            case LeaseLost():
                return None
            case _:
                assert_never(answer)

    def _kept(self, bundle: InFlightBundle, fresh: Results, results: Results, left_out: set[int], now_s: float) -> None:
        for index, before in enumerate(fresh):
            # What was stamped has ended in this attempt, so no slot writes there; what was not stamped stays alone.
            if before is not None and before.recorded_ms is None and index not in left_out:
                bundle.results[index] = results[index]
        bundle.recorded, bundle.left_out = results, left_out
        bundle.saved_s = now_s
        bundle.lease_ends_s = now_s + self.settings.lease_s - self.settings.guard_s
