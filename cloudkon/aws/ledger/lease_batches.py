"""Claims and completions of several bundles in one call, each with a condition of its own (PartiQL).

A statement that is refused says no more than that, so its bundle is asked for again alone, by the verb that knows why.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from cloudkon.aws.errors import is_throttled
from cloudkon.aws.ledger.leases import DynamoLeases
from cloudkon.aws.ledger.rows import bundle_key, expiry, number, packed_results, text
from cloudkon.aws.ledger.table import Statement
from cloudkon.errors import CloudKonError, DeniedError, UnavailableError
from cloudkon.ledger import lease as rules
from cloudkon.ledger.lease import (
    BundleState,
    Claim,
    ClaimAnswer,
    Completion,
    Kept,
    Unanswered,
    WriteAnswer,
    completed_row,
)

log = logging.getLogger(__name__)

_NEW_ROW = (
    *("pk", "sk", "state", "owners", "token", "lines", "event", "sent", "received", "claimed", "until", "expires_at"),
    *("attempt", "fruitless"),
)
_CLAIM = 'INSERT INTO "{table}" VALUE {{' + ", ".join(f"'{name}': ?" for name in _NEW_ROW) + "}}"
"""Of a bundle that has no row: a row that stands makes it a DuplicateItem."""
_COMPLETE = (
    'UPDATE "{table}" SET "state" = ? SET "results" = ? SET "done" = ? SET "expires_at" = ? '
    'WHERE "pk" = ? AND "sk" = ? AND "state" = ? AND "attempt" = ? AND "token" = ?'
)
_DENIED = "AccessDenied"
"""Of one statement; DynamoDB may also deny the call as a whole.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html"""
_AskT = TypeVar("_AskT")
_AnswerT = TypeVar("_AnswerT")


class DynamoLeaseBatches(DynamoLeases):
    """The batch verbs of ports.Leases."""

    _may_batch = True
    """Until AWS says that this role has no dynamodb:PartiQLInsert and PartiQLUpdate; then each write goes alone."""

    def claim_all(self, asks: Sequence[Claim]) -> Sequence[ClaimAnswer | Unanswered]:
        return self._each(asks, self._claim_statement, _granted, self.claim)

    def complete_all(self, done: Sequence[Completion], now_ms: int) -> Sequence[WriteAnswer | Unanswered]:
        return self._each(
            done,
            lambda each: self._complete_statement(each, now_ms),
            lambda each: Kept(completed_row(each, now_ms)),
            lambda each: self.complete(each.lease, each.results, now_ms),
        )

    def _each(
        self,
        asks: Sequence[_AskT],
        statement: Callable[[_AskT], Statement | None],
        done: Callable[[_AskT], _AnswerT],
        alone: Callable[[_AskT], _AnswerT],
    ) -> Sequence[_AnswerT | Unanswered]:
        """Write together what has a statement; ask alone for the rest, and for what was refused."""
        together = {at: made for at, ask in enumerate(asks) if (made := statement(ask)) is not None}
        codes = dict(zip(together, self._write_each(list(together.values())), strict=True))
        return [_answer(ask, codes.get(at), done, alone) for at, ask in enumerate(asks)]

    def _write_each(self, statements: Sequence[Statement]) -> Sequence[str]:
        if self._may_batch and len(statements) > 1:
            try:
                codes = self._table.write_each(statements)
            except DeniedError as error:
                self._give_batches_up(str(error))
            else:
                if _DENIED in codes:
                    self._give_batches_up(f"Could not write to the table {self._table.name} in batches ({_DENIED}).")
                return codes
        return ["alone"] * len(statements)

    def _give_batches_up(self, why: str) -> None:
        self._may_batch = False
        log.warning("%s The ledger is written to row by row, which takes more calls.", why)

    def _claim_statement(self, ask: Claim) -> Statement:
        values = (
            *bundle_key(ask.key).values(),
            text(BundleState.LEASED),
            {"L": [text(ask.owner)]},
            text(ask.token),
            text(str(ask.lines)),
            number(ask.event_ms),
            number(ask.sent_ms),
            number(ask.received_ms),
            number(ask.now_ms),
            number(ask.until_ms),
            expiry(ask.now_ms, self._retention_s),
            number(1),
            number(1),
        )
        return Statement(_CLAIM.format(table=self._table.name), values)

    def _complete_statement(self, done: Completion, now_ms: int) -> Statement | None:
        """None for a bundle that others have held before: only its row knows who."""
        lease = done.lease
        if lease.attempt != 1:
            return None
        values = (
            text(BundleState.DONE),
            packed_results(done.results, lease.event_ms),
            number(now_ms),
            expiry(now_ms, self._retention_s),
            *bundle_key(lease.key).values(),
            text(BundleState.LEASED),
            number(lease.attempt),
            text(lease.token),
        )
        return Statement(_COMPLETE.format(table=self._table.name), values)


def _granted(ask: Claim) -> ClaimAnswer:
    answer, _ = rules.claim(None, ask, 0)
    return answer


def _answer(
    ask: _AskT, code: str | None, done: Callable[[_AskT], _AnswerT], alone: Callable[[_AskT], _AnswerT]
) -> _AnswerT | Unanswered:
    if code == "":
        return done(ask)
    if code is not None and is_throttled({"Error": {"Code": code}}):
        return Unanswered(UnavailableError(f"The ledger throttled a write ({code})."))
    try:
        return alone(ask)
    except CloudKonError as error:
        return Unanswered(error)
