"""Claims the bundles of the messages that came together: in one call, and again those that had no answer."""

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, DeniedError, NotFoundError, UnavailableError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import Claim, ClaimAnswer, Unanswered
from cloudkon.ports import Delivery, Leases
from cloudkon.settings import Settings
from cloudkon.telemetry.tracing import step_of
from ec2_worker.telemetry.traces import BundleTrace

_TRIES = 4


@dataclass(frozen=True, slots=True)
class Admitted:
    """A message whose bundle may be claimed."""

    bundle: Bundle
    delivery: Delivery
    received_s: float
    trace: BundleTrace | None
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    """Of all tries of the claim: one whose answer was lost is known as ours by the next."""


@dataclass(frozen=True, slots=True)
class Claimer:
    """Of the receiver's thread."""

    leases: Leases
    clock: Clock
    settings: Settings
    worker: str
    backoff: Backoff = field(default_factory=Backoff)

    def claim(self, admitted: Sequence[Admitted]) -> Sequence[ClaimAnswer | Unanswered]:
        """Answer in the order of the messages; Unanswered are those that the ledger gave no answer for at any try."""
        answers: dict[int, ClaimAnswer | Unanswered] = {}
        with ExitStack() as steps:
            for each in admitted:
                steps.enter_context(step_of(None if each.trace is None else each.trace.steps, "claim"))
            for failures in range(_TRIES):
                open_ = [at for at in range(len(admitted)) if _is_open(answers.get(at))]
                if not open_:
                    break
                if failures:
                    self.clock.sleep(self.backoff.delay_s(failures))
                answers |= zip(open_, self._try([self._ask(admitted[at]) for at in open_]), strict=True)
        return [answers[at] for at in range(len(admitted))]

    def _try(self, asks: Sequence[Claim]) -> Sequence[ClaimAnswer | Unanswered]:
        try:
            return [self.leases.claim(asks[0])] if len(asks) == 1 else self.leases.claim_all(asks)
        except (DeniedError, NotFoundError, UnavailableError) as error:
            return [Unanswered(error)] * len(asks)
        except Exception as error:  # noqa: BLE001 (of one of the bundles, whatever it is: the others are to be claimed)
            if len(asks) > 1:
                return [self._try([ask])[0] for ask in asks]
            known = error if isinstance(error, CloudKonError) else CloudKonError(f"{type(error).__name__}: {error}")
            return [Unanswered(known)]

    def _ask(self, one: Admitted) -> Claim:
        now_ms = self.clock.now_ms()
        return Claim(
            key=one.bundle.key,
            lines=one.bundle.lines,
            event_ms=one.bundle.event_ms,
            sent_ms=one.bundle.sent_ms,
            received_ms=one.delivery.received_ms,
            owner=self.worker,
            token=one.token,
            now_ms=now_ms,
            until_ms=now_ms + self.settings.lease_ms,
        )


def _is_open(answer: ClaimAnswer | Unanswered | None) -> bool:
    """Whether the claim is to be tried: for the first time, or again after a silence; a refusal stays one."""
    return answer is None or (isinstance(answer, Unanswered) and isinstance(answer.error, UnavailableError))
