"""Writes the results of a bundle in flight into the ledger."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, assert_never

from cloudkon.backoff import attempt
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.ledger.lease import BundleRow, Completion, Kept, LeaseLost, Unanswered, WriteAnswer
from cloudkon.ledger.result_columns import ResultColumns, stamped
from cloudkon.ledger.results import is_large
from cloudkon.ports import Leases
from cloudkon.settings import Settings
from ec2_worker.pipeline.in_flight import InFlightBundle
from ec2_worker.pipeline.retry_policy import unmarked
from ec2_worker.pipeline.value_store import ValueStore

Verb = Literal["checkpoint", "complete", "release"]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is about to be written of a bundle."""

    fresh: ResultColumns
    """As the slots left them."""
    results: ResultColumns
    """As the row will hold them: with stamps, and without those whose values are not stored yet."""
    left_out: set[int]

    @property
    def is_whole(self) -> bool:
        return not self.left_out


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

    def say_alive(self, bundle: InFlightBundle) -> None:
        """Tell whoever holds the bundle next that its marked task has not killed this worker, which lost the lease."""
        mark = bundle.recorded_mark
        if mark is not None:
            attempt(lambda: self.leases.lived_on(bundle.lease, mark.index), bundle.lease.key)

    def complete_all(self, bundles: Sequence[InFlightBundle]) -> Sequence[BundleRow | CloudKonError | None]:
        """Record all results of several bundles in one call; an error instead of a row stands for that bundle alone.

        Before: their values are stored. The bundles are different ones.
        """
        now_ms, now_s = self.clock.now_ms(), self.clock.monotonic_s()
        with ExitStack() as held:
            for bundle in bundles:
                held.enter_context(bundle.writing)
                held.enter_context(bundle.step("complete"))
            drafts = [self._draft(bundle, now_ms) for bundle in bundles]
            whole = {at: (bundles[at], draft) for at, draft in enumerate(drafts) if draft.is_whole}
            answers = dict(zip(whole, self._complete_whole(list(whole.values()), now_ms), strict=True))
            return [
                self._answered_of_several(bundle, draft, answers.get(at), now_s)
                for at, (bundle, draft) in enumerate(zip(bundles, drafts, strict=True))
            ]

    def _complete_whole(
        self, drafts: Sequence[tuple[InFlightBundle, _Draft]], now_ms: int
    ) -> Sequence[WriteAnswer | Unanswered]:
        completions = [
            Completion(bundle.lease, bundle.message.lines, bundle.message.sent_ms, bundle.received_ms, draft.results)
            for bundle, draft in drafts
        ]
        try:
            return self.leases.complete_all(completions, now_ms)
        except UnavailableError as error:
            return [Unanswered(error)] * len(completions)

    def _answered_of_several(
        self, bundle: InFlightBundle, draft: _Draft, answer: WriteAnswer | Unanswered | None, now_s: float
    ) -> BundleRow | CloudKonError | None:
        if answer is None:
            return _not_stored(bundle, draft)
        return answer.error if isinstance(answer, Unanswered) else self._answered(bundle, draft, answer, now_s)

    def _write(self, bundle: InFlightBundle, verb: Verb) -> BundleRow | None:
        with bundle.writing, bundle.step(verb):
            now_ms, now_s = self.clock.now_ms(), self.clock.monotonic_s()
            draft = self._draft(bundle, now_ms)
            return self._answered(bundle, draft, self._write_alone(bundle, verb, draft, now_ms), now_s)

    def _draft(self, bundle: InFlightBundle, now_ms: int) -> _Draft:
        fresh = bundle.results.copy()
        left_out = {index for index, result in fresh.others() if is_large(result)}
        known = fresh if not left_out else fresh.copy()
        for index in left_out:
            known.set_back(index, bundle.recorded[index])
        return _Draft(fresh, stamped(known, now_ms), left_out)

    def _write_alone(self, bundle: InFlightBundle, verb: Verb, draft: _Draft, now_ms: int) -> WriteAnswer:
        match verb:
            case "checkpoint":
                until_ms = now_ms + self.settings.lease_ms
                return self.leases.checkpoint(bundle.lease, draft.results, until_ms, bundle.mark)
            case "complete":
                if not draft.is_whole:
                    raise _not_stored(bundle, draft)
                return self.leases.complete(bundle.lease, draft.results, now_ms)
            case "release":
                return self.leases.release(bundle.lease, draft.results, unmarked(bundle.mark))
            case _:
                assert_never(verb)

    def _answered(self, bundle: InFlightBundle, draft: _Draft, answer: WriteAnswer, now_s: float) -> BundleRow | None:
        match answer:
            case Kept(row):
                bundle.recorded_mark = row.mark
                self._kept(bundle, draft, now_s)
                return row
            case LeaseLost():
                return None
            case _:
                assert_never(answer)

    def _kept(self, bundle: InFlightBundle, draft: _Draft, now_s: float) -> None:
        bundle.results.keep_stamps(draft.fresh, draft.results, draft.left_out)
        bundle.recorded, bundle.left_out = draft.results, draft.left_out
        bundle.saved_s = now_s
        bundle.lease_ends_s = now_s + self.settings.lease_s - self.settings.guard_s


def _not_stored(bundle: InFlightBundle, draft: _Draft) -> UnavailableError:
    return UnavailableError(f"{len(draft.left_out)} values of {bundle.lease.key} are not stored yet.")
