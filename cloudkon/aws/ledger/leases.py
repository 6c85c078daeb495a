"""The rules of lease.py, written as conditions; a refused condition is decided by lease.py from the row that stood."""

from collections.abc import Callable
from typing import assert_never

from cloudkon.aws.ledger.rows import bundle_key, bundle_row, expiry, mark_value, number, packed_results, text
from cloudkon.aws.ledger.table import Item, Refused, Table, Written
from cloudkon.errors import UnavailableError
from cloudkon.ledger import lease as rules
from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.lease import (
    BundleRow,
    BundleState,
    Claim,
    ClaimAnswer,
    Claimed,
    Kept,
    Lease,
    Mark,
    WriteAnswer,
    lease_of,
)
from cloudkon.ledger.results import Results
from cloudkon.ledger.survival import survivor

#   until              + guard
# ----|------------------|----------> now
#  held |  held (clocks)  | free: until <= now - guard
#
# The token's own claim is no takeover, however late its request is repeated.
_MAY_CLAIM = (
    "attribute_not_exists(#pk) OR #state = :released OR (#state = :leased AND #until <= :free AND #token <> :token)"
)
_CLAIM = (
    "SET #state = :leased, #owners = list_append(if_not_exists(#owners, :nobody), :owner), #token = :token, "
    "#lines = if_not_exists(#lines, :lines), #event = if_not_exists(#event, :event), #sent = :sent, "
    "#received = :received, #claimed = :claimed, #until = :until, #expires_at = :expires "
    "ADD #attempt :one, #fruitless :one"
)
_CHECKPOINT = "SET #results = :results, #until = :until, #fruitless = :fruitless, #mark = :mark"
_COMPLETE = "SET #state = :done, #results = :results, #done = :now, #expires_at = :expires REMOVE #mark, #survivors"
_RELEASE = "SET #state = :released, #results = :results, #fruitless = :fruitless, #mark = :mark"
_LIVED_ON = "ADD #survivors :note"
_STATES: Item = {f":{state.value}": text(state) for state in BundleState}

Rule = Callable[[BundleRow | None], WriteAnswer]
"""One of lease.py's decisions, wanting only the row."""


class DynamoLeases:
    """Implements ports.Leases: each verb is one UpdateItem, and every one after the claim is fenced."""

    _table: Table
    _guard_ms: int
    _retention_s: int

    def claim(self, ask: Claim) -> ClaimAnswer:
        values: Item = {
            ":leased": _STATES[":leased"],
            ":released": _STATES[":released"],
            ":free": number(ask.now_ms - self._guard_ms),
            ":nobody": {"L": []},
            ":owner": {"L": [text(ask.owner)]},
            ":token": text(ask.token),
            ":lines": text(str(ask.lines)),
            ":event": number(ask.event_ms),
            ":sent": number(ask.sent_ms),
            ":received": number(ask.received_ms),
            ":claimed": number(ask.now_ms),
            ":until": number(ask.until_ms),
            ":expires": expiry(ask.now_ms, self._retention_s),
            ":one": number(1),
        }
        match self._table.update(bundle_key(ask.key), _CLAIM, _MAY_CLAIM, values):
            case Written(item):
                row = bundle_row(ask.key, item)
                return Claimed(lease_of(row), row.results)
            case Refused(item):
                answer, change = rules.claim(_standing(ask.key, item), ask, self._guard_ms)
                if change is not None:
                    raise _contradiction(ask.key)
                return answer
            case other:
                assert_never(other)

    def checkpoint(self, lease: Lease, results: Results, until_ms: int, mark: Mark | None = None) -> WriteAnswer:
        values = {
            ":results": packed_results(results, lease.event_ms),
            ":until": number(until_ms),
            ":fruitless": number(rules.fruitless_after(lease, results)),
            ":mark": mark_value(mark),
        }
        return self._write(
            lease, _CHECKPOINT, values, lambda row: rules.checkpoint(row, lease, results, until_ms, mark)
        )

    def complete(self, lease: Lease, results: Results, now_ms: int) -> WriteAnswer:
        values = {
            ":done": _STATES[":done"],
            ":results": packed_results(results, lease.event_ms),
            ":now": number(now_ms),
            ":expires": expiry(now_ms, self._retention_s),
        }
        return self._write(lease, _COMPLETE, values, lambda row: rules.complete(row, lease, results, now_ms))

    def release(self, lease: Lease, results: Results, mark: Mark | None = None) -> WriteAnswer:
        values = {
            ":released": _STATES[":released"],
            ":results": packed_results(results, lease.event_ms),
            ":fruitless": number(0),
            ":mark": mark_value(mark),
        }
        return self._write(lease, _RELEASE, values, lambda row: rules.release(row, lease, results, mark))

    def lived_on(self, lease: Lease, index: int) -> None:
        condition = f"#state <> :done AND #attempt > :attempt AND #owners[{lease.attempt - 1}] = :owner"
        values: Item = {
            ":done": _STATES[":done"],
            ":attempt": number(lease.attempt),
            ":owner": text(lease.owner),
            ":note": {"SS": [survivor(lease, index)]},
        }
        self._table.update(bundle_key(lease.key), _LIVED_ON, condition, values)

    def _write(self, lease: Lease, change: str, values: Item, rule: Rule) -> WriteAnswer:
        fence = f"#state = :leased AND #attempt = :attempt AND #owners[{lease.attempt - 1}] = :owner"
        ours = {":leased": _STATES[":leased"], ":attempt": number(lease.attempt), ":owner": text(lease.owner)}
        match self._table.update(bundle_key(lease.key), change, fence, {**ours, **values}):
            case Written(item):
                return Kept(bundle_row(lease.key, item))
            case Refused(item):
                row = _standing(lease.key, item)
                answer = rule(row)
                if isinstance(answer, Kept) and answer.row is not row:
                    raise _contradiction(lease.key)
                return answer
            case other:
                assert_never(other)


def _standing(bundle: BundleKey, item: Item | None) -> BundleRow | None:
    return None if item is None else bundle_row(bundle, item)


def _contradiction(bundle: BundleKey) -> UnavailableError:
    """The condition and the rules disagree about one and the same row; an answer would be a guess."""
    return UnavailableError(f"The ledger refused a write to {bundle} that its rules allow; it has to be tried again.")
